"""What presence means, as SQL over a row `p` of presence (or NULLs, for one who has none).

STATUS      online, away, busy or offline
NOTE        what the person says with it
LAST_SEEN   when the person was last here
"""

STALE_AFTER = "interval '60 seconds'"
"""A stream that no notify server has reported for so long is closed: the server is gone."""
AWAY_AFTER = "interval '10 minutes'"
HERE_WITHOUT_STREAM = "interval '5 minutes'"
"""So long after a request somebody counts as here who has no stream open."""

_CHOICE = "CASE WHEN p.until IS NULL OR p.until > now() THEN p.chosen END"
_SINCE_LEFT = "coalesce(p.left_at, '-infinity')"
_HERE = (
    f"coalesce(p.connected_at > now() - {STALE_AFTER} AND p.connected_at > {_SINCE_LEFT}"
    f" OR p.active_at > now() - {HERE_WITHOUT_STREAM} AND p.active_at > {_SINCE_LEFT}, false)"
)
STATUS = f"""
    CASE WHEN coalesce({_CHOICE} = 'offline', false) OR NOT {_HERE} THEN 'offline'
         ELSE coalesce({_CHOICE},
                       CASE WHEN p.active_at > now() - {AWAY_AFTER} THEN 'online' ELSE 'away' END) END
"""
NOTE = "CASE WHEN p.until IS NULL OR p.until > now() THEN p.note END"
# Who chose to look offline was last seen when choosing it.
LAST_SEEN = f"""
    CASE WHEN {_CHOICE} = 'offline' THEN p.chosen_at ELSE greatest(p.connected_at, p.active_at) END
"""
