"""Settings: every source, which one wins, and what each mistake is told as."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fechatter import config
from fechatter.config import ConfigError, Role, Settings, loading

Load = Callable[..., Settings]


@pytest.fixture(name="load")
def fixture_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load settings in an empty folder; `files` are written there first."""
    monkeypatch.setattr(loading, "SYSTEM_FILE", tmp_path / "etc" / "app.yaml")

    def load(
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
        role: Role = "all",
    ) -> Settings:
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        return config.load(flags, role=role, environment=environment or {}, cwd=tmp_path)

    return load


def error_of(load: Load, *arguments: object, **named: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(*arguments, **named)
    return str(caught.value)


def test_without_any_source_the_defaults_hold(load: Load) -> None:
    settings = load()
    assert (settings.server.port, settings.notify.port, settings.server.db_url) == (6688, 6687, "")
    assert settings.messaging.enabled is False


def test_flags_win_over_environment_over_file(load: Load) -> None:
    files = {"app.yaml": "server:\n  port: 7001\nnotify:\n  port: 7101\nlog:\n  level: error\n"}
    environment = {"FECHATTER_SERVER__PORT": "7002", "FECHATTER_NOTIFY__PORT": "7102"}
    settings = load(files, environment, {"server.port": 7003, "notify.port": None})
    assert (settings.server.port, settings.notify.port, settings.log.level) == (7003, 7102, "error")


def test_the_first_file_that_exists_is_the_only_main_file(load: Load, tmp_path: Path) -> None:
    files = {
        "app.yaml": "server:\n  port: 7001\n",
        "etc/app.yaml": "server:\n  port: 7002\nnotify:\n  port: 7102\n",
        "own.yaml": "server:\n  port: 7003\n",
    }
    environment = {"CHAT_CONFIG": "own.yaml"}
    assert load(files, environment).server.port == 7001
    (tmp_path / "app.yaml").unlink()
    assert load({}, environment).server.port == 7002
    (tmp_path / "etc" / "app.yaml").unlink()
    assert load({}, environment).server.port == 7003


def test_a_missing_chat_config_is_an_error_only_when_it_is_reached(load: Load) -> None:
    assert "CHAT_CONFIG: there is no file" in error_of(load, {}, {"CHAT_CONFIG": "gone.yaml"})
    assert load({"app.yaml": "name: Ours\n"}, {"CHAT_CONFIG": "gone.yaml"}).name == "Ours"


def test_the_two_service_files_speak_of_their_own_ports_and_one_database(load: Load) -> None:
    files = {
        "chat.yml": "server:\n  port: 7001\n  db_url: postgres://u:p@db/chat\nsearch:\n  enabled: false\n",
        "notify.yml": "server:\n  port: 7002\n  db_url: postgres://u:p@db/chat\n",
    }
    settings = load(files)
    assert (settings.server.port, settings.notify.port) == (7001, 7002)
    assert settings.server.db_url == "postgres://u:p@db/chat"


def test_the_service_files_may_not_name_two_databases(load: Load) -> None:
    files = {
        "chat.yml": "server:\n  db_url: postgres://db/one\n",
        "notify.yml": "server:\n  port: 7002\n  db_url: postgres://db/two\n",
    }
    message = error_of(load, files)
    assert "notify.yml, line 3: server.db_url differs from" in message
    assert "chat.yml, line 2" in message


def test_each_service_can_be_switched_to_messaging_on_its_own(load: Load) -> None:
    files = {"chat.yml": "messaging:\n  enabled: both\n", "notify.yml": "messaging:\n  enabled: true\n"}
    assert load(files, role="server").messaging.enabled == "both"
    assert load(files, role="notify").messaging.enabled is True


SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VA"
CREDENTIALS = f"""\
-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJVIn0.c2ln
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------
"""


def test_credentials_for_nats_are_taken_as_their_files_hold_them(load: Load) -> None:
    assert load({"user.creds": CREDENTIALS}, {"FECHATTER_MESSAGING__CREDS_FILE": "user.creds"}).messaging.creds
    assert load({}, {"FECHATTER_MESSAGING__NKEY": SEED}).messaging.nkey == SEED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("creds", "/etc/nats/user.creds"),
        ("creds", CREDENTIALS.partition("\n\n")[0]),
        ("creds", CREDENTIALS.partition("\n\n")[2]),
        ("creds", CREDENTIALS.replace(SEED, "")),
        ("nkey", "/etc/nats/user.nk"),
        ("nkey", SEED[:-1]),
        ("url", " , "),
    ],
)
def test_credentials_for_nats_that_cannot_be_ones_stop_the_program(load: Load, name: str, value: str) -> None:
    """The client for NATS would look for ever for what it expects in them, and the whole process with it."""
    message = error_of(load, {}, {f"FECHATTER_MESSAGING__{name.upper()}": value})
    assert f"messaging.{name} " in message
    assert value not in message


def test_notify_config_replaces_the_notify_file(load: Load) -> None:
    files = {"notify.yml": "server:\n  port: 7002\n", "other.yml": "server:\n  port: 7009\n"}
    assert load(files, {"NOTIFY_CONFIG": "other.yml"}).notify.port == 7009
    assert "NOTIFY_CONFIG: there is no file" in error_of(load, files, {"NOTIFY_CONFIG": "gone.yml"})


@pytest.mark.parametrize("text", ["true", "True", "yes", "on", "1"])
def test_the_environment_knows_words_for_true(load: Load, text: str) -> None:
    assert load({}, {"FECHATTER_MESSAGING__ENABLED": text}).messaging.enabled is True


def test_the_environment_sets_every_kind_of_value(load: Load, tmp_path: Path) -> None:
    settings = load(
        {},
        {
            "FECHATTER_MESSAGING__ENABLED": "both",
            "FECHATTER_NOTIFY__HEARTBEAT_S": "0.5",
            "FECHATTER_NOTIFY__ALLOWED_ORIGINS": "https://a.example, https://b.example",
            "FECHATTER_LIMITS__ENABLED": "off",
            "FECHATTER_DATA_DIR": "data",
            "FECHATTER_SEARCH__API_KEY": "0123",
            "FECHATTER_NAME": "",
        },
    )
    assert settings.messaging.enabled == "both"
    assert settings.notify.heartbeat_s == 0.5
    assert settings.notify.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.limits.enabled is False
    assert settings.data_dir == tmp_path / "data"
    assert settings.search.api_key == "0123"
    assert settings.name == "Fechatter"


def test_database_url_is_the_weaker_name_of_the_database(load: Load) -> None:
    assert load({}, {"DATABASE_URL": "postgresql://db/one"}).server.db_url == "postgresql://db/one"
    both = {"DATABASE_URL": "postgresql://db/one", "FECHATTER_SERVER__DB_URL": "postgresql://db/two"}
    assert load({}, both).server.db_url == "postgresql://db/two"


def test_variables_of_a_kubernetes_service_are_not_settings(load: Load) -> None:
    links = ("SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_6688_TCP", "PORT_6688_TCP_ADDR", "API_SERVICE_PORT_HTTP")
    assert load({}, {f"FECHATTER_{name}": "tcp://10.0.0.1:6688" for name in links}) == load()


@pytest.mark.parametrize(
    ("variable", "key", "text"),
    [
        ("FECHATTER_AUTH__SIGNING_KEY_FILE", "auth.signing_key", "k" * 32),
        ("FECHATTER_SEARCH__API_KEY_FILE", "search.api_key", "secret"),
        ("FECHATTER_SERVER__DB_URL_FILE", "server.db_url", "postgresql://db/one"),
        ("DATABASE_URL_FILE", "server.db_url", "postgresql://db/one"),
        ("FECHATTER_MESSAGING__URL_FILE", "messaging.url", "nats://u:p@one:4222,nats://two:4222"),
    ],
)
def test_secrets_come_from_files_named_by_variables(load: Load, variable: str, key: str, text: str) -> None:
    settings = load({"secret": f"{text}\n"}, {variable: "secret"})
    section, _, name = key.partition(".")
    assert getattr(getattr(settings, section), name) == text


def test_secrets_come_from_files_beside_the_settings_file(load: Load) -> None:
    files = {"etc/app.yaml": "auth:\n  signing_key_file: key\n", "etc/key": "k" * 40}
    assert load(files).auth.signing_key == "k" * 40


def test_a_secret_is_set_once(load: Load) -> None:
    files = {"app.yaml": "search:\n  api_key: one\n  api_key_file: two\n", "two": "two"}
    assert "line 3: search.api_key and search.api_key_file cannot both be set" in error_of(load, files)
    environment = {"FECHATTER_SEARCH__API_KEY": "one", "FECHATTER_SEARCH__API_KEY_FILE": "two"}
    assert "cannot both be set" in error_of(load, {"app.yaml": ""}, environment)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server:\n  prot: 1\n", "app.yaml, line 2: server.prot is not a setting; did you mean server.port?"),
        ("sever:\n  port: 1\n", "app.yaml, line 1: sever is not a setting; did you mean server?"),
        ("server:\n  port: abc\n", "app.yaml, line 2: server.port must be a whole number from 1 to 65535, not 'abc'"),
        ("server:\n  port: 0\n", "app.yaml, line 2: server.port must be a whole number from 1 to 65535, not 0"),
        ("server:\n  port:\n", "app.yaml, line 2: server.port must be a whole number from 1 to 65535, not nothing"),
        ("server:\n  port: 1\n\n  port: 2\n", "app.yaml, line 4: server.port is set twice"),
        ("server: 5\n", "app.yaml, line 1: server must be a group of settings, indented below it"),
        ("- 1\n", "app.yaml, line 1: expected settings (key: value)"),
        ("server: [\n", "app.yaml, line 2: not valid YAML"),
        ("server:\n\tport: 1\n", "app.yaml, line 2: not valid YAML"),
        ("server:\n  port: 2024-13-45\n", "app.yaml, line 2: server.port is not valid"),
        ("messaging:\n  enabled: maybe\n", "line 2: messaging.enabled must be true or false or both, not 'maybe'"),
        ("auth:\n  signup: all\n", "line 2: auth.signup must be closed or invite or open, not 'all'"),
        ("trusted_proxies: 10.0.0.1\n", "line 1: trusted_proxies must be a list of texts, not '10.0.0.1'"),
        ("trusted_proxies: [nonsense]\n", "line 1: trusted_proxies holds 'nonsense', which is no IP address"),
        ("search:\n  enabled: true\n", "line 2: search.enabled is true, but search.url is not set"),
        ("auth:\n  signing_key: short\n", "line 2: auth.signing_key must be at least 32 bytes long"),
        (
            "server:\n  public_url: chat.example\n",
            "line 2: server.public_url must be an address that begins with http://",
        ),
        ("server:\n  db_url: mysql://db\n", "line 2: server.db_url must be an address that begins with postgresql://"),
        ("files:\n  url: gs://bucket\n", "line 2: files.url must be an address that begins with s3://"),
        ("files:\n  endpoint: s3.example\n", "line 2: files.endpoint must be an address that begins with http://"),
        ("server:\n  port: 6687\n", "line 2: server.port is 6687, and so is the other service's"),
        ("limits:\n  password_min: 2000\n", "line 2: limits.password_min is above limits.password_max"),
    ],
)
def test_a_mistake_in_a_file_names_file_line_and_key(load: Load, text: str, message: str) -> None:
    assert message in error_of(load, {"app.yaml": text})


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "FECHATTER_SERVER__PROT",
            "1",
            "FECHATTER_SERVER__PROT is not a setting; did you mean FECHATTER_SERVER__PORT?",
        ),
        ("FECHATTER_SERVER__PORT", "x", "environment variable FECHATTER_SERVER__PORT: server.port must be a whole"),
        ("FECHATTER_LOG__LEVEL", "loud", "environment variable FECHATTER_LOG__LEVEL: log.level must be"),
        ("FECHATTER_AUTH__SIGNING_KEY_FILE", "gone", "FECHATTER_AUTH__SIGNING_KEY_FILE: the file "),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(load: Load, variable: str, text: str, message: str) -> None:
    assert message in error_of(load, {}, {variable: text})


def test_a_file_that_cannot_be_read_stops_the_program(load: Load, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").mkdir()
    assert "app.yaml cannot be read: Is a directory" in error_of(load)
    (tmp_path / "app.yaml").rmdir()
    (tmp_path / "app.yaml").write_bytes(b"name: \xff\n")
    assert "app.yaml is not valid YAML: it is not text in UTF-8" in error_of(load)


def test_no_message_and_no_repr_shows_a_secret(load: Load) -> None:
    assert "hunter2" not in error_of(load, {"app.yaml": "search:\n  api_key: [hunter2]\n"})
    assert "hunter2" not in error_of(load, {"app.yaml": ""}, {"DATABASE_URL": "mysql://u:hunter2@db"})
    assert "hunter2" not in repr(load({}, {"DATABASE_URL": "postgresql://u:hunter2@db/x"}))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"USER": "chat"}, "messaging.password is not"),
        ({"PASSWORD": "secret"}, "messaging.user is not"),
        ({"USER": "chat", "PASSWORD": "secret", "TOKEN": "other"}, "choose one way"),
        ({"TLS_KEY": "key.pem"}, "messaging.tls_cert is not"),
        ({"URL": "nats://a:4222,http://b:4222"}, "messaging.url must be an address"),
        ({"URL": "nats://chat:12/secret@a"}, "must end after the host and port"),
        ({"URL": "nats://a:4222,tls://secret#1@b"}, "must end after the host and port"),
    ],
)
def test_settings_of_nats_that_do_not_fit_together_are_refused(
    given: dict[str, str], told: str, tmp_path: Path
) -> None:
    environment = {f"FECHATTER_MESSAGING__{name}": value for name, value in given.items()}
    with pytest.raises(ConfigError, match=told) as refused:
        config.load(environment=environment, cwd=tmp_path)
    assert "secret" not in str(refused.value)


def test_certificates_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "chat.yml").write_text("messaging:\n  enabled: both\n  url: tls://a:4222, tls://b\n  tls_ca: ca.pem\n")
    messaging = config.load(environment={}, cwd=tmp_path).messaging
    assert messaging.tls_ca == tmp_path / "ca.pem"
    assert messaging.enabled == "both"


def test_each_service_believes_its_own_file_about_nats(tmp_path: Path) -> None:
    (tmp_path / "chat.yml").write_text("messaging:\n  enabled: true\n")
    (tmp_path / "notify.yml").write_text("messaging:\n  enabled: both\n")
    assert config.load(role="server", environment={}, cwd=tmp_path).messaging.enabled is True
    assert config.load(role="notify", environment={}, cwd=tmp_path).messaging.enabled == "both"
