"""Fetching the broker's jars; the network is real, or really out of reach."""

from pathlib import Path

import pytest

from deploy import kafka_jars
from deploy.kafka_jars import kafka_classpath
from deploy.kafka_lock import KAFKA_VERSION, locked_jars
from schemas.errors import StackError

TINY_JAR = "org.jspecify:jspecify:1.0.0"


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends every request to a port that nothing listens on."""
    for name in ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that no Kafka has been fetched into."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("without_network")
def test_without_a_network_a_first_fetch_says_what_to_do_and_leaves_nothing(
    empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with pytest.raises(StackError, match="could not be fetched from Maven Central") as caught:
        kafka_classpath(said.append)
    jars = empty_cache / "gridloom" / f"kafka-{KAFKA_VERSION}" / "jars"
    assert str(jars) in caught.value.hint
    assert caught.value.problems
    assert said == [f"Fetching Kafka {KAFKA_VERSION} from Maven Central, once (44 MB) ..."]
    assert list(jars.parent.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.kafka
def test_what_was_fetched_once_is_used_without_a_network(request: pytest.FixtureRequest) -> None:
    fetched = kafka_classpath(lambda _: None)
    request.getfixturevalue("without_network")
    said: list[str] = []
    assert kafka_classpath(said.append) == fetched
    assert said == []
    names = {Path(jar).name for jar in fetched.split(":")}
    pinned = {"{1}-{2}.jar".format(*coordinate.split(":")) for coordinate in locked_jars()}
    assert names == pinned


@pytest.mark.kafka
def test_a_jar_other_than_the_pinned_one_is_refused(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_jars, "locked_jars", lambda: {TINY_JAR: "0" * 64})
    with pytest.raises(StackError, match=r"jspecify-1\.0\.0\.jar that is not the one pinned"):
        kafka_classpath(lambda _: None)
    assert list((empty_cache / "gridloom" / f"kafka-{KAFKA_VERSION}").iterdir()) == []


@pytest.mark.kafka
def test_a_first_fetch_is_complete_and_silent(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kafka_jars, "locked_jars", lambda: {TINY_JAR: locked_jars()[TINY_JAR]})
    said: list[str] = []
    jar = empty_cache / "gridloom" / f"kafka-{KAFKA_VERSION}" / "jars" / "jspecify-1.0.0.jar"
    assert kafka_classpath(said.append) == str(jar)
    assert jar.is_file()
    assert list(jar.parent.parent.iterdir()) == [jar.parent]
    assert len(said) == 2
    assert capfd.readouterr() == ("", "")
