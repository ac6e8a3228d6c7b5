"""Getting a set that is not here: ask the host first, then let TFDS download and prepare it.

TFDS retries a silent host for minutes, so each host must answer within `PATIENCE` before TFDS starts. What is
already on its way is never cut off.
"""

import http.client
import threading
import urllib.error
import urllib.parse
import urllib.request

from course_lib.datasets.errors import MissingDataError
from course_lib.datasets.reading import tfds_folder

PATIENCE = 10.0  # seconds


def fetch(builder, files: tuple[str, ...], offline: bool) -> None:
    """Downloads what the builder needs and prepares it; files placed by hand are taken before the network's.

    Args:
        builder: a TFDS builder that is not prepared.
        files: the names of the files it will ask for; empty: all it knows of.
        offline: whether connections are forbidden.

    Raises:
        MissingDataError: says the file, the reason and both ways on.
    """
    by_hand = tfds_folder(builder) / "downloads" / "manual"  # where TFDS looks first
    known = (builder.url_infos or {}).items()
    names = {url: info.filename or url.rpartition("/")[2] for url, info in known}
    urls = {file: url for url, file in names.items() if not files or file in files}
    missing = {file: url for file, url in urls.items() if not (by_hand / file).is_file()}
    ways_on = (
        f"Either place {', '.join(missing or urls)} in {by_hand} by hand and load {builder.name} again, or work "
        "offline with what ships with the course: COURSE_OFFLINE=1 and datasets.load('digits')."
    )
    if builder.url_infos is None:  # it is made here
        ways_on = f"It is written to {tfds_folder(builder)}: is there room, and are you allowed to?"
    if missing and offline:
        raise MissingDataError(f"{builder.name} is not here and working offline is asked for", ways_on)
    hosts = {urllib.parse.urlsplit(url).hostname: (file, url) for file, url in missing.items()}
    for host, (file, url) in hosts.items():
        if reason := no_answer(url, PATIENCE):
            raise MissingDataError(f"{file} cannot be fetched from {host}: {reason}", ways_on)
    try:
        builder.download_and_prepare()
    except ModuleNotFoundError as error:  # importlib_resources, which TFDS does not declare
        install = f"Type: pip install {error.name} (in a notebook %pip), and load {builder.name} again."
        raise MissingDataError(f"{builder.name} cannot be prepared without {error.name}", install) from error
    except Exception as error:
        if builder.is_prepared():  # by another program meanwhile, such as a second notebook
            return
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
        raise MissingDataError(f"{builder.name} could not be prepared: {first_line}", ways_on) from error


def no_answer(url: str, patience: float) -> str | None:
    """Why the host of `url` gives no file, or None if it answers within `patience` seconds."""
    outcome: list[str | None] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=patience):
                outcome.append(None)
        except urllib.error.HTTPError as error:  # 405, 501: it answers, only not to this question
            outcome.append(None if error.code in (405, 501) else f"it answers {error.code} {error.reason}")
        except (OSError, http.client.HTTPException) as error:
            outcome.append(str(getattr(error, "reason", error)) or type(error).__name__)

    # A thread, because looking up a host's name obeys no time-out.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience)
    return outcome[0] if outcome else f"no answer within {patience:g} seconds"
