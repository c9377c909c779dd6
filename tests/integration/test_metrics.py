"""What operators see of fechatter_server."""

from tests.support.world import World


async def test_requests_are_counted_by_route_not_by_address(world: World) -> None:
    ada = await world.person("Ada")
    chat = await ada.create_chat("PublicChannel", "room")
    await ada.post(chat, "hello")
    await ada.ask("GET", f"/api/chats/{chat.id}")
    told = (await ada.ask("GET", "/metrics")).body.decode()
    assert 'fechatter_requests_seconds_count{method="POST",route="/api/chats/{chat_id}/messages",status="201"}' in told
    assert 'route="/api/chats/{chat_id}",status="200"' in told
    assert f"/api/chats/{chat.id}" not in told
    assert "fechatter_posts_waiting 0.0" in told
    assert "hello" not in told
