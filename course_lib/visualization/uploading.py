"""A button that takes a photo from the reader's computer and shows it with the classes it may be of.

The control is common to ipywidgets 7 (Colab) and 8; the two hand over what was uploaded in different forms.
"""

import html
import io
import pathlib
import tempfile
from collections.abc import Callable, Mapping

from course_lib import common
from course_lib.model_checks import described
from course_lib.visualization.display import data_url, publish

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ACCEPTED = "image/*,.heic,.heif"
SHOWN = 240  # pixels: the longer side of the photo as it is shown
MOST = 5  # classes listed
STILL = "With a kernel, a button stands here that takes a photo from your computer and shows its classes."


def upload(classify: Callable[[pathlib.Path], Mapping[str, float]]) -> None:
    """Displays a button for photos; each one is shown with the most likely classes of `classify(path)`.

    Args:
        classify: a function of the path of a photo that returns class name → probability.

    Raises:
        ValueError: `classify` is no function.
    """
    if not callable(classify):
        raise ValueError(f"classify must be a function of the path of a photo, not {described(classify)}")
    if not common.in_notebook():
        print(f"[control] {STILL}")
        return
    view = {"version_major": 2, "version_minor": 0, "model_id": panel(classify).model_id}
    publish(f"<p>{STILL}</p>", STILL, **{WIDGET_VIEW: view})


def panel(classify: Callable[[pathlib.Path], Mapping[str, float]]):
    """The button above what is said of the last photo."""
    import ipywidgets

    button = ipywidgets.FileUpload(accept=ACCEPTED, multiple=False, description="A photo")
    said = ipywidgets.HTML()

    def on_upload(_) -> None:
        if button.value:
            said.value = answer(classify, *uploaded(button.value))

    button.observe(on_upload, names="value")
    return ipywidgets.VBox([button, said])


def uploaded(value) -> tuple[str, bytes]:
    """Name and content of the file that a FileUpload holds, in ipywidgets 7 or 8."""
    if isinstance(value, Mapping):  # ipywidgets 7: name → file
        name, file = next(iter(value.items()))
        return name, bytes(file["content"])
    return value[0]["name"], bytes(value[0]["content"])


def answer(classify: Callable[[pathlib.Path], Mapping[str, float]], name: str, content: bytes) -> str:
    """What is shown of one photo: itself and its classes as HTML, or why it cannot be classified."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"photo{pathlib.Path(name).suffix}"
        path.write_bytes(content)
        try:
            probabilities = classify(path)
            likely = sorted(probabilities.items(), key=lambda pair: -pair[1])[:MOST]
        except Exception as error:  # the student's own function, and files of every kind: the reader sees why
            return f"<p>{html.escape(name)}: {html.escape(type(error).__name__)}: {html.escape(str(error))}</p>"
        picture = _preview(path)
    lines = "".join(f"<li>{html.escape(str(label))} {share:.0%}</li>" for label, share in likely)
    alt = html.escape(f"{name}: {', '.join(f'{label} {share:.0%}' for label, share in likely)}")
    image = f'<img src="{data_url(picture)}" alt="{alt}">' if picture else ""
    return f"<figure>{image}<figcaption>{html.escape(name)}<ol>{lines}</ol></figcaption></figure>"


def _preview(path: pathlib.Path) -> bytes:
    """The photo as a small PNG, upright; empty where Pillow alone cannot read it."""
    from PIL import Image, ImageOps

    try:
        photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    except OSError:
        return b""
    photo.thumbnail((SHOWN, SHOWN))
    stored = io.BytesIO()
    photo.save(stored, "PNG")
    return stored.getvalue()
