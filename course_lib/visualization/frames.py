"""Figures that move without a kernel: a page with one picture for each position of its sliders."""

import dataclasses
import html
import json
from collections.abc import Sequence

from course_lib.visualization.display import data_url

DPI = 80  # legible, and small enough that a dozen pictures stay below 250 kB
MOVING = """<figure style="margin: 0" data-pictures="{pictures}" data-sliders="{sliders}" data-strides="{strides}">
<img src="{source}" alt="{caption} {position}" data-captions="{captions}" style="max-width: 100%">
<figcaption aria-hidden="true">{caption}</figcaption>
{controls}
</figure>"""
SLIDER = """<div><label>{name} <input type="range" min="0" max="{last}" value="{start}" aria-valuetext="{label}"
oninput="{move}"> <output>{label}</output></label></div>"""
PLAY = """<button type="button" onclick="{play}">Play</button>"""
ONE_AT_A_TIME = "<div>Recorded here: one slider at a time. The others go back to where they begin.</div>"
# Where the pictures are no whole grid, one slider moves at a time. The texts for screen readers follow.
MOVE = """
const figure = this.closest('figure');
const image = figure.querySelector('img');
const inputs = [...figure.querySelectorAll('input')];
const sliders = JSON.parse(figure.dataset.sliders);
const strides = JSON.parse(figure.dataset.strides || '[]');
if (!strides.length) for (const input of inputs) if (input !== this) input.value = input.defaultValue;
const shown = inputs.map((input, index) => sliders[index].labels[input.value]);
inputs.forEach((input, index) => {
  input.setAttribute('aria-valuetext', shown[index]);
  input.nextElementSibling.textContent = shown[index];
});
const place = strides.length
  ? strides.reduce((sum, stride, index) => sum + stride * inputs[index].value, 0)
  : sliders[inputs.indexOf(this)].pictures[this.value];
const captions = JSON.parse(image.dataset.captions);
const caption = captions[Math.min(place, captions.length - 1)];
image.src = JSON.parse(figure.dataset.pictures)[place];
const texts = shown.map((label, index) => sliders[index].name + ': ' + label);
image.alt = caption + ' ' + texts.join(', ');
figure.querySelector('figcaption').textContent = caption;
"""
RUN = """
const input = this.closest('figure').querySelector('input');
input.value = 0;
input.oninput();
const timer = setInterval(() => {
  input.value++;
  input.oninput();
  if (input.value === input.max) clearInterval(timer);
}, 500);
"""


@dataclasses.dataclass(frozen=True)
class Slider:
    """A slider of a moving figure: what each of its positions is called, and which picture belongs to it.

    The pictures are those that belong to its positions while the other sliders are at their start.
    """

    name: str
    labels: Sequence[str]
    pictures: Sequence[int]
    start: int = 0


def moving_figure(
    pictures: Sequence[bytes],
    sliders: Sequence[Slider],
    captions: Sequence[str],
    *,
    play: bool = False,
    strides: Sequence[int] = (),
) -> str:
    """PNGs as an HTML figure with sliders, and a button that plays the first slider where `play` is true.

    `captions` holds one caption per picture, or one for all of them. Without scripts the picture of the first positions
    is shown, with its caption and the values of the sliders.

    Where there is a picture for every combination of positions, `strides` says how many pictures further the next
    position of each slider is; without it one slider moves at a time, and several of them say so.
    """
    controls = [PLAY.format(play=html.escape(RUN))] if play else []
    for slider in sliders:
        texts = {"name": slider.name, "last": len(slider.labels) - 1, "start": slider.start, "move": MOVE}
        texts["label"] = slider.labels[slider.start]
        controls.append(SLIDER.format(**{name: html.escape(str(text)) for name, text in texts.items()}))
    if len(sliders) > 1 and not strides:
        controls.append(ONE_AT_A_TIME)
    urls = [data_url(picture) for picture in pictures]
    first = sliders[0].pictures[sliders[0].start]
    texts = {
        "pictures": json.dumps(urls),
        "sliders": json.dumps([dataclasses.asdict(slider) for slider in sliders]),
        "strides": json.dumps(list(strides)),
        "source": urls[first],
        "caption": captions[min(first, len(captions) - 1)],
        "captions": json.dumps(list(captions), ensure_ascii=False),
        "position": ", ".join(f"{slider.name}: {slider.labels[slider.start]}" for slider in sliders),
    }
    return MOVING.format(**{name: html.escape(text) for name, text in texts.items()}, controls="\n".join(controls))
