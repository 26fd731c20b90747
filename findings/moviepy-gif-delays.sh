#!/usr/bin/env bash
# MoviePy 2.2.1: a GIF with delays that differ is played at their mean, and its last pictures are not there.
#
# Guess: a video made of a GIF shows each picture as long as the GIF does.
#
# Seen: four pictures of 0.1, 2, 0.1 and 1.5 seconds become a clip of the right length in which the first two share
# all the time: the third and the fourth, where a slow-motion film ends, never come. ffmpeg hands over ten pictures
# a second, repeated as the delays want; MoviePy counts them as 1.09 a second, the mean. With
# fps_source="tbr" each picture comes in its time, and PyAV has the right times.
#
# Here: films stand longer at what is to be read, so their delays differ: export `.mp4` instead of turning a
# `.gif` into one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    moviepy==2.2.1 imageio-ffmpeg==0.8.1 av==18.1.0
cd "$folder"
v/bin/python - <<'END'
import sys
from itertools import groupby

import av
import numpy as np
from moviepy import VideoFileClip
from PIL import Image

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
pictures = [Image.new("RGB", (64, 48), colour) for colour in COLOURS.values()]
pictures[0].save("t.gif", save_all=True, append_images=pictures[1:], duration=[100, 2000, 100, 1500])


def name(picture):
    """Return the colour of a picture."""
    found = np.asarray(picture)[24, 32, :3].astype(int)
    return min(COLOURS, key=lambda one: abs(found - COLOURS[one]).sum())


with av.open("t.gif") as film:
    true = [(name(one.to_ndarray(format="rgb24")), float(one.time)) for one in film.decode(video=0)]
print("in the file:", true)
shown = {}
for source in ("fps", "tbr"):
    with VideoFileClip("t.gif", fps_source=source) as clip:
        times = [(number + 0.5) / 10 for number in range(round(clip.duration * 10))]
        shown[source] = [
            (colour, len(list(run)) / 10) for colour, run in groupby(name(clip.get_frame(t)) for t in times)
        ]
        print(source, clip.duration, "s,", round(clip.fps, 2), "pictures a second:", shown[source])
ok = true == [("red", 0.0), ("green", 0.1), ("blue", 2.1), ("white", 2.2)]
ok = ok and {colour for colour, _ in shown["fps"]} == {"red", "green"}
ok = ok and [colour for colour, _ in shown["tbr"]] == list(COLOURS)
wanted = [0.1, 2.0, 0.1, 1.5]
ok = ok and all(abs(long - right) < 0.11 for (_, long), right in zip(shown["tbr"], wanted))
ok = ok and all(abs(sum(long for _, long in one) - sum(wanted)) < 0.11 for one in shown.values())
sys.exit(0 if ok else "it has changed")
END
