"""Settings of the local broker."""

import re

from deploy.kafka_settings import server_properties


def test_the_broker_listens_on_the_loopback_interface_only() -> None:
    text = server_properties(20_001, 20_002)
    hosts = re.findall(r"([^\s/@,=]+):(\d+)", text)
    assert set(hosts) == {("127.0.0.1", "20001"), ("127.0.0.1", "20002")}
