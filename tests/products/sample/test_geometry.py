"""Distances, strokes, blobs and places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.products.sample.draws import Draw
from anomalyos.products.sample.geometry import (
    SPAN,
    Pose,
    blob,
    box,
    disc,
    grid,
    polygon,
    spot,
    stroke,
    window,
)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-math.pi, math.pi), st.floats(0.5, 2))
def test_a_pose_places_points_where_its_local_frame_finds_them(
    u: float, v: float, angle: float, scale: float
) -> None:
    pose = Pose(200, 300, angle, scale)
    x, y = pose.place(u, v)
    back = pose.local(np.array([[x]]), np.array([[y]]))
    assert [float(back[0][0, 0]), float(back[1][0, 0])] == pytest.approx([u, v], abs=1e-6)


def test_shapes_have_the_area_they_should() -> None:
    x, y = grid(256)
    unit = (SPAN / 256) ** 2
    u, v = x - 256, y - 256
    assert (disc(u, v, 100) < 0).sum() * unit == pytest.approx(math.pi * 1e4, rel=0.01)
    assert (box(u, v, 80, 50) < 0).sum() * unit == pytest.approx(16_000, rel=0.02)
    assert (polygon(u, v, 6, 100) < 0).sum() * unit == pytest.approx(2 * math.sqrt(3) * 1e4, rel=0.01)


def test_a_stroke_is_as_wide_as_asked_and_absent_elsewhere() -> None:
    ratio = stroke(256, [(100, 200), (300, 200)], 8, taper=False)
    column = ratio[:, 100] < 1
    assert column.sum() == pytest.approx(8, abs=1)
    assert ratio[10, 10] == 9


def test_blobs_stay_in_the_picture_and_spots_inside() -> None:
    for seed in range(20):
        draw = Draw(seed)
        patch = blob(draw, 128, (10, 500), 30)
        assert (patch < 1).any()
        assert patch[0, 127] == 9
    inside = np.zeros((128, 128), dtype=np.float32)
    inside[30:50, 60:90] = 1
    x, y = spot(Draw(2), inside)
    assert 60 * 4 <= x <= 90 * 4
    assert 30 * 4 <= y <= 50 * 4


def test_windows_are_cut_at_the_border() -> None:
    rows, columns = window(256, (10, 505), 40)
    assert columns.start == 0
    assert rows.stop >= 256
    assert np.zeros((256, 256))[rows, columns].size > 0
