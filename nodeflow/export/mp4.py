"""Slow motion as a video (H.264), through the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nodeflow.errors import ExportError
from nodeflow.export import Made
from nodeflow.export.film import TRAVEL, VIDEO_MOST, VIDEO_RATE, Film
from nodeflow.export.gif import Clock

if TYPE_CHECKING:
    from nodeflow.export import Job


def make(job: Job) -> Made:
    """Return the film; each picture lasts as many of the video's as its time has."""
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ExportError(
            'a video needs imageio-ffmpeg: pip install "nodeflow[video]", or choose .gif'
        ) from None
    width, height = (side - side % 2 for side in job.options.size)  # H.264 has even sides only
    job = replace(job, options=replace(job.options, size=(width, height)))
    beat = VIDEO_RATE / job.options.speed
    moves = int(TRAVEL * beat)
    film = Film(job, moves=moves, most=VIDEO_MOST, each=max(beat, 1), what="video")
    clock = Clock(1 / VIDEO_RATE)
    with tempfile.TemporaryDirectory(prefix="nodeflow-") as folder:
        path = Path(folder) / "film.mp4"
        video = imageio_ffmpeg.write_frames(
            str(path), (width, height), fps=VIDEO_RATE, codec="libx264", pix_fmt_out="yuv420p",
            macro_block_size=1, quality=None, ffmpeg_log_level="error",
            output_params=["-crf", "20", "-movflags", "+faststart"],
        )  # fmt: skip
        try:
            with closing(video):
                video.send(None)
                for frame in film.frames():
                    data = frame.image.tobytes()
                    for _ in range(clock.ticks(frame.seconds)):
                        video.send(data)
            data = path.read_bytes()
        except OSError as error:
            reason = str(error).strip().splitlines()[-1:]
            raise ExportError(f"ffmpeg could not write the video: {''.join(reason)}") from error
    facts = {
        "frames": clock.told,
        "steps": film.reel.total,
        "seconds": round(clock.told / VIDEO_RATE, 2),
        "width": width,
        "height": height,
    }
    return Made(data, facts, f"{clock.told} pictures, {clock.told / VIDEO_RATE:.1f} seconds")
