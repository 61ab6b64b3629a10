"""How a mail leaves: over SMTP, or into a file."""

import ssl
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from chassis.settings import Missing
from services.notifications.post import FilePost, Mail, NotSent, SmtpPost
from tests.servers.process import free_port


@pytest.fixture
def mail() -> Mail:
    words = "To: Ada <ada@membres.example>\nSubject: Bonjour\nContent-Type: text/plain; charset=utf-8\n\n"
    content = f"{words}.\n..\n.. fin\nÉté\n".replace("\n", "\r\n").encode()
    return Mail("4f0c", "ada@membres.example", datetime(2026, 3, 12, 14, tzinfo=UTC), content)


def test_lines_of_dots_arrive_as_they_were(post: Any, sink: Any, mail: Mail) -> None:
    post.send(mail)
    assert sink.mails[0].get_content().splitlines() == [".", "..", ".. fin", "Été"]


def test_encryption_is_used_where_the_server_offers_it(sink: Any, server: Any, mail: Mail, tmp_path: Path) -> None:
    server.stop()  # asyncio allows one running loop in a thread, and green threads are all one thread
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    encrypted = Controller(
        sink, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True, ready_timeout=120
    )
    encrypted.start()
    post = SmtpPost(f"smtp://127.0.0.1:{encrypted.port}", "bonjour@pratique.example")
    post.send(mail)
    post.close()
    encrypted.stop()
    assert [each["Subject"] for each in sink.mails] == ["Bonjour"]


def test_a_password_is_not_sent_in_the_clear_to_another_machine(mail: Mail, sink: Any, server: Any) -> None:
    server.stop()  # as above
    elsewhere = Controller(sink, hostname="127.0.0.2", port=free_port(), ready_timeout=120)
    elsewhere.start()
    post = SmtpPost(f"smtp://pratique:secret@127.0.0.2:{elsewhere.port}", "bonjour@pratique.example")
    with pytest.raises(NotSent, match="the password stays here"):
        post.send(mail)
    elsewhere.stop()
    assert sink.mails == []


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "mail.example:25"])
def test_a_url_that_is_none_says_what_it_should_be(url: str) -> None:
    with pytest.raises(Missing, match="PRATIQUE_SMTP_URL"):
        SmtpPost(url, "bonjour@pratique.example")


def test_a_mail_becomes_a_file_that_only_its_owner_reads(tmp_path: Path, mail: Mail) -> None:
    FilePost(tmp_path / "mail").send(mail)
    [path] = (tmp_path / "mail").iterdir()
    assert path.name == "20260312T140000Z-4f0c.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ada@membres.example" in path.read_bytes()


def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path, mail: Mail) -> None:
    (tmp_path / "mail").write_text("not a folder")
    with pytest.raises(NotSent):
        FilePost(tmp_path / "mail").send(mail)
