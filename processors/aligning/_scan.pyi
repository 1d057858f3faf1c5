def scan(
    values: list[bytes],
    codes: dict[bytes, int],
    reading_version: bytes,
    batch_version: bytes,
    /,
) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes, list[int]]: ...
