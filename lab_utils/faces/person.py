"""What a picture shows: every attribute of a person, the pose, the light and the camera.

``draw_person`` draws *all* random numbers first, always the same ones in the same order, and
only then settles what depends on what. So fixing one attribute changes nothing else: the same
seed with another ``skin_tone`` is the same person, picture and background in another tone.

Skin tone is drawn on its own. It depends on no other attribute, so a set balanced over tones is
balanced over shapes, hair, age, pose and light as well.
"""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..errors import LabError
from .background import SHARES

HAIR_COLORS = {
    "black": "12100f", "darkbrown": "2a1c14", "brown": "4a3020", "lightbrown": "7a5636",
    "blond": "c09a5e", "platinum": "e0cfa4", "red": "7e3418", "grey": "8f8c88", "white": "dcdad5"}
EYE_COLORS = {"darkbrown": "1e120b", "brown": "3a2314", "hazel": "6b5530", "green": "4f6b45",
              "blue": "5a7fa6", "grey": "6f7a80"}
FRAME_COLORS = ("101010", "2a1a10", "6b6b70", "8a7a40", "502020")
LIPSTICKS = ("a8283c", "c44a58", "8a1f3a", "b5645a", "7a2430")
EXPRESSIONS = ("neutral", "smile", "open", "surprise", "frown", "laugh")
# azimuth, elevation (degrees), key, ambient (relative), warmth
LIGHTS = {"neutral": (0.0, 30.0, 0.35, 0.70, 0.0), "front": (5.0, 25.0, 0.8, 0.42, 0.0),
          "left": (-75.0, 20.0, 1.0, 0.28, 0.0), "right": (75.0, 20.0, 1.0, 0.28, 0.0),
          "above": (0.0, 65.0, 1.0, 0.28, 0.0), "below": (0.0, -10.0, 0.9, 0.28, 0.0),
          "dim": (-30.0, 35.0, 0.4, 0.22, 0.05)}

CHOICES = {
    "gender": ("female", "male"),
    "hair": ("bald", "buzz", "short", "volume", "bob", "long", "updo", "afro"),
    "hair_color": tuple(HAIR_COLORS),
    "beard": ("none", "stubble", "moustache", "goatee", "full"),
    "glasses": ("none", "clear", "sun"),
    "hat": ("none", "beanie", "cap", "scarf"),
    "expression": EXPRESSIONS,
    "light": tuple(LIGHTS),
    "background": (*SHARES, "grey"),
}
RANGES = {
    "skin_tone": (1, 10), "age": (4, 85), "yaw": (-65, 65), "pitch": (-28, 28), "roll": (-25, 25),
    "light_azimuth": (-85, 85), "light_elevation": (-10, 65), "light_key": (0, 1.5),
    "light_ambient": (0, 1), "scale": (2.2, 3.3)}
ATTRIBUTES = tuple(CHOICES) + tuple(RANGES)

FEMALE_HAIR = dict(buzz=.03, short=.09, volume=.12, bob=.23, long=.31, updo=.11, afro=.11)
MALE_HAIR = dict(bald=.10, buzz=.23, short=.35, volume=.19, long=.06, afro=.07)
HAIR_SHARES = dict(black=.38, darkbrown=.26, brown=.15, lightbrown=.08, blond=.07, platinum=.02,
                   red=.04)


@dataclass(frozen=True)
class Person:
    """All parameters of one picture. Angles in degrees, colours linear RGB, age in years."""

    seed: int
    # who
    skin_tone: int
    gender: str
    age: float
    masculinity: float          # weight of the male shape targets, 0..1
    shape: np.ndarray           # (3,) weights of MakeHuman's three families of head shapes
    weight: float
    muscle: float
    details: np.ndarray         # (120,) standard normal: sizes of single features
    asymmetry: np.ndarray       # (120,) right side relative to left
    head_form: int
    head_form_amount: float
    skin_tint: np.ndarray       # (3,) factors near 1
    blush: float
    freckles: bool
    lipstick: int               # index into LIPSTICKS, -1 none
    eyelid_dark: float
    eye_color: str
    brow_thickness: float
    brow_arch: float
    brow_density: float
    lashes: float
    expression: str
    expression_amounts: np.ndarray   # (4,) 0..1
    blink: float
    # what they wear
    hair: str
    hair_color: str
    curly: bool
    hair_thickness: float
    fringe: float
    recession: float
    hair_form: np.ndarray       # (8,) 0..1
    beard: str
    beard_length: float
    hat: str
    hat_color: np.ndarray
    glasses: str
    glasses_form: np.ndarray    # (5,) 0..1
    frame_color: np.ndarray
    neckline: float
    cloth_color: np.ndarray
    # the picture
    yaw: float
    pitch: float
    roll: float
    scale: float                # width of the picture in units of 0.93 eye-chin distances
    shift: np.ndarray           # (2,)
    distance: float
    gaze: np.ndarray            # (2,) degrees
    light_azimuth: float
    light_elevation: float
    light_key: float
    light_ambient: float
    light_warmth: float
    exposure: float
    background: str
    background_seed: int
    camera_seed: int
    noise_offset: np.ndarray    # (3,) where in the noise volume this skin lies


def person_rng(seed: int, index: int, stream: int = 0) -> np.random.Generator:
    """An independent generator for one picture."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream, index])))


def _pick(u: float, shares: Mapping[str, float]) -> str:
    edges = np.cumsum(list(shares.values()))
    return list(shares)[min(int(np.searchsorted(edges, u * edges[-1], "right")), len(edges) - 1)]


def check_attributes(fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Check and normalise values of attributes that a caller fixes.

    Raises:
        LabError: for an unknown attribute or a value out of range.
    """
    out = {}
    for name, value in fixed.items():
        if value is None:
            continue
        if name in CHOICES:
            if value not in CHOICES[name]:
                raise LabError(f"{name}={value!r} is unknown: choose one of "
                               f"{', '.join(CHOICES[name])}.")
            out[name] = str(value)
        elif name in RANGES:
            low, high = RANGES[name]
            number = isinstance(value, Real | np.number) and not isinstance(value, bool)
            if not number or not low <= value <= high:
                raise LabError(f"{name}={value!r} is out of range: give a number from {low} "
                               f"to {high}.")
            if name == "skin_tone" and int(value) != value:
                raise LabError(f"skin_tone={value!r}: give a whole number from 1 to 10.")
            out[name] = int(value) if name == "skin_tone" else float(value)
        else:
            raise LabError(f"{name!r} is no attribute of a face: the attributes are "
                           f"{', '.join(ATTRIBUTES)}.")
    return out


def draw_person(rng: np.random.Generator, seed: int = 0, **fixed: Any) -> Person:
    """Draw one person and picture; ``fixed`` attributes keep their value.

    Raises:
        LabError: for an unknown attribute or a value out of range.
    """
    fixed = check_attributes(fixed)
    u = rng.random(80)              # every decision below has its own number
    normal = rng.standard_normal(24)
    details, asymmetry = rng.standard_normal(120), rng.uniform(0.85, 1.15, 120)
    shape = rng.dirichlet([0.35, 0.35, 0.35])
    noise_offset = rng.uniform(0, 64, 3)
    background_seed, camera_seed = (int(s) for s in rng.integers(0, 2 ** 31, 2))

    def between(i: int, low: float, high: float) -> float:
        return low + (high - low) * u[i]

    def color(i: int, saturation: float, darkest: float) -> np.ndarray:
        hsv = colorsys.hsv_to_rgb(u[i], saturation * u[i + 1], between(i + 2, darkest, 0.9))
        return np.array(hsv) ** 2.2

    gender = fixed.get("gender", "female" if u[0] < 0.5 else "male")
    male = gender == "male"
    if "age" in fixed:
        age = fixed["age"]
    else:
        low, high = {"a": (4, 15), "b": (18, 35), "c": (35, 60), "d": (60, 85)}[
            _pick(u[1], dict(a=.08, b=.44, c=.31, d=.17))]
        age = between(2, low, high)
    adult_man = male and age > 18
    hair = fixed.get("hair", _pick(u[3], MALE_HAIR) if male else _pick(u[4], FEMALE_HAIR))
    if hair == "bald" and age < 18 and "hair" not in fixed:
        hair = "short"
    hair_color = _pick(u[5], HAIR_SHARES)
    if age > between(6, 42, 85):
        hair_color = "white" if u[7] < 0.4 else "grey"
    curly = bool(u[8] < (0.9 if hair == "afro" else 0.15 + 0.6 * shape[0]))
    fringe = between(10, 0.1, 0.38) if u[9] < 0.3 and hair in ("short", "volume", "bob", "long",
                                                               "updo") else 0.0
    recession = between(11, -0.03, 0.06)
    if male and age > 30:
        recession = between(11, 0, 0.25) + max(0.0, age - 45) / 45 * 0.25
        recession += 0.3 if age > 40 and u[12] < 0.35 else 0.0
    beard = _pick(u[13], dict(none=.5, stubble=.2, moustache=.06, goatee=.08, full=.16))
    beard = fixed.get("beard", beard if adult_man else "none")
    narrow = u[14] < 0.5     # half of the pictures nearly frontal
    yaw = normal[0] * (11 if narrow else 28)
    light = dict(light_azimuth=between(15, -80, 80), light_elevation=between(16, -5, 62),
                 light_key=between(17, 0.4, 1.05), light_ambient=between(18, 0.32, 0.62))
    warmth = 0.09 * normal[1]
    exposure = float(np.exp(0.16 * normal[2]))
    if "light" in fixed:
        values = LIGHTS[fixed["light"]]
        light = dict(zip(light, values[:4], strict=True))
        warmth = values[4]
        exposure = 1.0
    light.update({name: fixed[name] for name in light if name in fixed})
    return Person(
        seed=seed, skin_tone=fixed.get("skin_tone", 1 + int(u[19] * 10)), gender=gender, age=age,
        masculinity=0.8 + 0.2 * u[20] if male else 0.2 * u[20], shape=shape,
        weight=float(np.clip(0.5 + 0.2 * normal[3], 0, 1)),
        muscle=float(np.clip(0.5 + 0.15 * normal[4], 0, 1)),
        details=details, asymmetry=asymmetry, head_form=int(u[21] * 7),
        head_form_amount=0.6 * u[22], skin_tint=np.exp(0.03 * normal[5:8]),
        blush=between(23, 0.3, 1.4), freckles=bool(u[24] < 0.1),
        lipstick=int(u[26] * len(LIPSTICKS)) if not male and age > 16 and u[25] < 0.45 else -1,
        eyelid_dark=between(27, 0.05, 0.35) if male else between(27, 0.1, 0.6),
        eye_color=_pick(u[28], dict(darkbrown=.38, brown=.32, hazel=.08, green=.06, blue=.11,
                                    grey=.05)),
        brow_thickness=between(29, 0.036, 0.056) if male else between(29, 0.022, 0.042),
        brow_arch=between(30, 0.0, 0.07), brow_density=between(31, 0.55, 0.92),
        lashes=between(32, 0, 0.35) if male else between(32, 0.3, 0.9),
        expression=fixed.get("expression", _pick(u[33], dict(neutral=.32, smile=.32, open=.1,
                                                             surprise=.07, frown=.09, laugh=.1))),
        expression_amounts=u[34:38], blink=between(39, 0.6, 1) if u[38] < 0.05
        else between(39, 0, 0.25),
        hair=hair, hair_color=fixed.get("hair_color", hair_color), curly=curly,
        hair_thickness=between(40, 0.8, 1.25), fringe=fringe, recession=recession,
        hair_form=u[41:49], beard=beard, beard_length=between(49, 0.05, 0.17),
        hat=fixed.get("hat", _pick(u[50], dict(none=.86, beanie=.05, cap=.05, scarf=.04))),
        hat_color=color(51, 0.85, 0.1),
        glasses=fixed.get("glasses", _pick(u[54], dict(none=.8, clear=.15, sun=.05))),
        glasses_form=u[55:60], frame_color=_frame(u[60]), neckline=between(61, 5.5, 5.85),
        cloth_color=color(62, 0.8, 0.1), yaw=fixed.get("yaw", float(np.clip(yaw, -65, 65))),
        pitch=fixed.get("pitch", float(np.clip(8 * normal[8], -28, 28))),
        roll=fixed.get("roll", float(np.clip(6.5 * normal[9], -25, 25))),
        scale=fixed.get("scale", between(65, 2.4, 3.05)), shift=0.07 * normal[10:12],
        distance=between(66, 7, 18), gaze=np.array([7 * normal[12], -1 + 4 * normal[13]]),
        light_warmth=warmth, exposure=exposure,
        background=fixed.get("background", _pick(u[67], SHARES)),
        background_seed=background_seed, camera_seed=camera_seed, noise_offset=noise_offset,
        **light)


def _frame(u: float) -> np.ndarray:
    code = FRAME_COLORS[int(u * len(FRAME_COLORS))]
    return np.array([int(code[i:i + 2], 16) / 255 for i in (0, 2, 4)]) ** 2.2
