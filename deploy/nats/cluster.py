"""Three NATS servers on this machine, for trying out: a cluster with copies on all three, passwords and TLS.

    python deploy/nats/cluster.py [FOLDER]    start it, say what to set, run until Ctrl-C

Cluster.start(folder)   the same for programs: certificates and a password are made anew
Cluster.nodes           each can be killed, started again, and lose its store
Authority               certificates
"""

import argparse
import datetime
import ipaddress
import json
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fechatter.cli.embedded_nats import free_port, greeting, program

PATIENCE_S = 30.0
DAYS = 30
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)

# What Fechatter needs, and nothing else: its subjects, its answers, and the care of its own stream.
MAY_PUBLISH = ["fechatter.>", "$JS.API.STREAM.*.FECHATTER_EVENTS"]
MAY_HEAR = ["fechatter.>", "_INBOX_fechatter.>"]
CONFIG = """\
server_name: {name}
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{store}", max_memory_store: 64MB, max_file_store: 1GB }}
{tls}
authorization {{
  users: [
    {{
      user: fechatter, password: "{password}"
      permissions: {{ publish: {publish}, subscribe: {hear} }}
    }}
    {{ user: admin, password: "{admin}" }}
  ]
}}
{cluster}
"""
CLUSTER = """\
cluster {{
  name: fechatter
  listen: "127.0.0.1:{route}"
  routes: [{routes}]
  authorization {{ user: route, password: "{password}" }}
  {tls}
}}
"""
TLS = 'tls {{ ca_file: "{folder}/ca.pem", cert_file: "{folder}/server.pem", key_file: "{folder}/server.key" }}'


class Node:
    """One server. `process` is the one that runs now, or the last one."""

    def __init__(self, name: str, folder: Path, port: int, config: str) -> None:
        self.name = name
        self.port = port
        self.folder = folder
        self.config = folder / "nats.conf"
        folder.mkdir(parents=True, exist_ok=True)
        self.config.touch(mode=0o600)
        self.config.write_text(config)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Return once it listens."""
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program(), "-c", self.config], stdout=log, stderr=log, start_new_session=True
            )
        _wait(lambda: greeting(self.port) is not None, f"NATS server {self.name} listens (see {self.folder}/nats.log)")

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def wipe(self) -> None:
        """Lose all that it stores; it must not run."""
        for path in sorted((self.folder / "store").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.runs:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)


class Cluster:
    """Servers that know each other.

    environment   what Fechatter's processes need to use them
    admin_url     the first of them, for whoever may do everything
    trust         the certificates to check them against, if they use TLS
    """

    def __init__(self, folder: Path, size: int = 3, *, tls: bool = True, a_port: Callable[[], int] = free_port) -> None:
        """`a_port`: one that nobody has, each time another."""
        self.folder = folder
        password, admin, between = (secrets.token_hex(16) for _ in range(3))
        folder.mkdir(parents=True, exist_ok=True)
        if tls:
            Authority(folder).issue("server", "localhost")
        ports, routes = [a_port() for _ in range(size)], [a_port() for _ in range(size)]
        secure = TLS.format(folder=folder) if tls else ""
        peers = ", ".join(f'"nats://route:{between}@127.0.0.1:{route}"' for route in routes)
        self.nodes: Sequence[Node] = [
            Node(
                f"n{number}",
                folder / f"n{number}",
                port,
                CONFIG.format(
                    name=f"n{number}",
                    port=port,
                    password=password,
                    admin=admin,
                    publish=json.dumps(MAY_PUBLISH),
                    hear=json.dumps(MAY_HEAR),
                    store=folder / f"n{number}" / "store",
                    tls=secure,
                    cluster=CLUSTER.format(route=route, routes=peers, password=between, tls=secure) if size > 1 else "",
                ),
            )
            for number, (port, route) in enumerate(zip(ports, routes, strict=True), 1)
        ]
        self.environment = {
            "FECHATTER_MESSAGING__URL": ",".join(f"nats://127.0.0.1:{port}" for port in ports),
            "FECHATTER_MESSAGING__USER": "fechatter",
            "FECHATTER_MESSAGING__PASSWORD": password,
        }
        self.admin_url = f"nats://admin:{admin}@127.0.0.1:{ports[0]}"
        self.trust = ssl.create_default_context(cafile=str(folder / "ca.pem")) if tls else None
        if tls:
            self.environment["FECHATTER_MESSAGING__TLS_CA"] = str(folder / "ca.pem")

    @classmethod
    def start(
        cls, folder: Path, size: int = 3, *, tls: bool = True, a_port: Callable[[], int] = free_port
    ) -> "Cluster":
        """All servers, listening. A leader may take some seconds more."""
        cluster = cls(folder, size, tls=tls, a_port=a_port)
        try:
            for node in cluster.nodes:
                node.start()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()


class Authority:
    """A certificate authority, made anew; `ca.pem` in its folder is what those who trust it need."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name, self._key = _name("Fechatter trial"), ec.generate_private_key(ec.SECP256R1())
        usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        root = (
            _certificate(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, name: str) -> None:
        """`file`.pem and `file`.key for whoever is called `name`, and for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _certificate(_name(name), self._name, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        (self._folder / f"{file}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self._folder / f"{file}.key").touch(mode=0o600)
        (self._folder / f"{file}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Three NATS servers on this machine, for trying out.")
    parser.add_argument("folder", nargs="?", type=Path, help="for their files; without it they are gone afterwards")
    if (folder := parser.parse_args().folder) is not None:
        _serve(folder.absolute())
        return
    with tempfile.TemporaryDirectory(prefix="fechatter-nats-") as folder:
        _serve(Path(folder))


def _serve(folder: Path) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cluster = Cluster(folder)
    try:
        for node in cluster.nodes:
            node.start()
        sys.stdout.write("Three NATS servers run. In the terminal of Fechatter:\n\n")
        for name, value in {"FECHATTER_MESSAGING__ENABLED": "true", **cluster.environment}.items():
            sys.stdout.write(f"export {name}='{value}'\n")
        sys.stdout.write(f"\nTheir files are in {folder}. Ctrl-C stops them.\n")
        sys.stdout.flush()
        signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    finally:
        cluster.stop()


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {PATIENCE_S:.0f} s in vain: {what}.")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
