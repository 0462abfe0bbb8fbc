"""Certificates for the test servers: an authority of our own, and self-signed ones as cameras have them."""
import datetime
import ipaddress
import base64
import hashlib
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

KINDS = {
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa4096": lambda: rsa.generate_private_key(65537, 4096),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
"""What kinds of keys cameras have, and how to make one of each."""


def _name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(subject, issuer, public, signer, names, authority):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(public)
               .serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=400)).not_valid_after(now + datetime.timedelta(days=400))
               .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path, certificate=None, key=None):
    data = certificate.public_bytes(serialization.Encoding.PEM) if certificate else key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(data)
    return path


class Authority:
    """A private CA whose certificate is at `certificate`."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate("Test authority", "Test authority", self._key.public_key(), self._key, (), True)
        self.certificate = _write(self._folder / "ca.pem", made)

    def issue(self, *names):
        """(certificate, key): paths of PEM files for a server of those names."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(names[0], "Test authority", key.public_key(), self._key, names, False)
        return _write(self._folder / "server.pem", made), _write(self._folder / "server.key", key=key)


def self_signed(folder, name="reolink", kind="p256"):
    """(certificate, key, pin): a new self-signed certificate and its public key's pin, `sha256//BASE64`."""
    folder = Path(folder)
    key = KINDS[kind]()
    made = _certificate("Reolink", "Reolink", key.public_key(), key, ("192.0.2.1",), False)
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    pin = "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()
    return _write(folder / f"{name}.pem", made), _write(folder / f"{name}.key", key=key), pin


def server(authority, version=ssl.TLSVersion.TLSv1_3, demands=True):
    """The TLS context of a server on 127.0.0.1; with `demands` clients need a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    context.load_verify_locations(authority.certificate)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED if demands else ssl.CERT_NONE
    return context


def client(authority, folder, *, key=None, days=(-10, 10), issuer=None):
    """(certificate, key): PEM files of a client of that authority."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "board")])
    ca = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(ca.subject).public_key(key.public_key())
            .serial_number(7).not_valid_before(now + datetime.timedelta(days[0]))
            .not_valid_after(now + datetime.timedelta(days[1])).sign(issuer or authority._key, hashes.SHA256()))
    return (_write(folder / "client.pem", made), _write(folder / "client.key", key=key))


def chain(folder, *names, kind="rsa2048", length=3):
    """Paths of (authority, certificates, key): a chain of `length` certificates, the server's own first, and their root."""
    folder = Path(folder)
    issuer, signer = "Root", KINDS[kind]()
    authority = _write(folder / "root.pem", _certificate(issuer, issuer, signer.public_key(), signer, (), True))
    shown = []
    for level in range(length - 1, -1, -1):
        name, key = (names[0] if level == 0 else f"Intermediate {level}"), KINDS[kind]()
        made = _certificate(name, issuer, key.public_key(), signer, names if level == 0 else (), level > 0)
        shown.insert(0, made.public_bytes(serialization.Encoding.PEM))
        issuer, signer = name, key
    (folder / "chain.pem").write_bytes(b"".join(shown))
    return authority, folder / "chain.pem", _write(folder / "chain.key", key=signer)
