"""Settings of the local broker."""

import re

import pytest

from deploy.kafka_settings import SecuredBy, server_properties

SECURED = SecuredBy(
    super_users=("User:broker", "User:admin"),
    user="broker",
    password="hunter2",  # noqa: S106  a value
    key_store="security/broker.p12",
    key_store_password="hunter3",  # noqa: S106  a value
    authority="security/ca.pem",
)


@pytest.mark.parametrize("secured", [None, SECURED])
def test_the_broker_listens_on_the_loopback_interface_only(secured: SecuredBy | None) -> None:
    text = server_properties(20_001, 20_002, secured)
    hosts = re.findall(r"([^\s/@,=]+):(\d+)", text)
    assert set(hosts) == {("127.0.0.1", "20001"), ("127.0.0.1", "20002")}


def test_a_secured_broker_has_no_listener_in_plain_text_and_denies_by_default() -> None:
    lines = server_properties(20_001, 20_002, SECURED).splitlines()
    assert "listener.security.protocol.map=CONTROLLER:SSL,CLIENT:SASL_SSL" in lines
    assert "listener.name.controller.ssl.client.auth=required" in lines
    assert "super.users=User:broker;User:admin" in lines
    assert any(line.startswith("authorizer.class.name=") for line in lines)
    assert not any(line.startswith("allow.everyone") for line in lines)


def test_what_secures_a_broker_does_not_show_its_passwords() -> None:
    assert "hunter" not in repr(SECURED)
