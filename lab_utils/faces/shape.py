"""The shape of a head: weights of MakeHuman's morph targets from a person's attributes."""

import functools

import numpy as np

from .asset import Head, smooth
from .kernels import morph, vertex_normals
from .mesh import EYE_LEFT, EYE_RIGHT, LASH, SKIN, TEETH, TONGUE, Mesh
from .person import Person

FAMILIES = ("african", "asian", "caucasian")   # MakeHuman's names of its three shape families
DETAIL_FOLDERS = ("head", "nose", "mouth", "chin", "forehead", "eyebrows", "cheek", "eyes",
                  "ears", "neck")
OPPOSITES = (("-decr", "-incr"), ("-down", "-up"), ("-in", "-out"), ("-backward", "-forward"),
             ("-compress", "-uncompress"), ("-concave", "-convex"))
HEAD_FORMS = tuple(f"head/head-{form}" for form in (
    "oval", "round", "square", "diamond", "rectangular", "triangular", "invertedtriangular"))
DETAIL_SPREAD = 0.35    # standard deviation of a detail's weight; 1 is the sculptor's extreme
MATERIALS = {"body": SKIN, "l-eye": EYE_LEFT, "r-eye": EYE_RIGHT, "upper-teeth": TEETH,
             "lower-teeth": TEETH, "tongue": TONGUE, "lashes": LASH}


@functools.lru_cache(maxsize=2)
def detail_pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of opposite targets (smaller, larger); of paired features only the left one."""
    pairs = []
    for name in names:
        for less, more in OPPOSITES:
            opposite = name[:-len(more)] + less
            if (name.split("/")[0] in DETAIL_FOLDERS and name.endswith(more) and opposite in names
                    and not any(word in name for word in ("trans", "head-age", "/r-"))):
                pairs.append((opposite, name))
    return pairs


def body_weights(person: Person) -> dict[str, float]:
    """Weights of the targets for age, gender, build and shape family: they sum as products."""
    age = person.age
    if age < 12:
        ages = {"baby": (12 - age) / 11, "child": (age - 1) / 11}
    elif age < 25:
        ages = {"child": (25 - age) / 13, "young": (age - 12) / 13}
    else:
        ages = {"young": (90 - age) / 65, "old": (age - 25) / 65}
    genders = {"female": 1 - person.masculinity, "male": person.masculinity}

    def three(low: str, middle: str, high: str, x: float) -> dict[str, float]:
        return {low: max(0.0, 1 - 2 * x), middle: 1 - abs(2 * x - 1), high: max(0.0, 2 * x - 1)}

    weights = three("minweight", "averageweight", "maxweight", person.weight)
    muscles = three("minmuscle", "averagemuscle", "maxmuscle", person.muscle)
    out = {}
    for gender, g in genders.items():
        for stage, a in ages.items():
            for family, f in zip(FAMILIES, person.shape, strict=True):
                out[f"macrodetails/{family}-{gender}-{stage}"] = g * a * f
            for weight, w in weights.items():
                for muscle, m in muscles.items():
                    build = f"{muscle}-{weight}"
                    out[f"macrodetails/universal-{gender}-{stage}-{build}"] = g * a * w * m
    return out


def detail_weights(person: Person, names: tuple[str, ...]) -> dict[str, float]:
    """Weights of the targets that shape single features."""
    out = {}
    for i, (less, more) in enumerate(detail_pairs(names)):
        value = float(np.clip(DETAIL_SPREAD * person.details[i], -0.9, 0.9))
        if more.startswith("head/") and "scale" in more:
            value *= 0.6
        name = more if value > 0 else less
        if abs(value) < 0.08:
            continue
        out[name] = abs(value)
        if "/l-" in name:
            out[name.replace("/l-", "/r-")] = abs(value) * person.asymmetry[i]
    out[HEAD_FORMS[person.head_form]] = person.head_form_amount
    return out


def expression_weights(person: Person) -> dict[str, float]:
    """Weights of the face units (names after Apple's ARKit blend shapes)."""
    a = person.expression_amounts
    both: dict[str, float] = {"eyeBlink": person.blink}
    single: dict[str, float] = {}
    if person.expression in ("smile", "laugh"):
        strength = 0.3 + 0.6 * a[0]
        both.update(mouthSmile=strength, cheekSquint=0.4 * strength)
        if person.expression == "laugh":
            single["jawOpen"] = 0.1 + 0.2 * a[1]
            both.update(mouthUpperUp=0.35, mouthLowerDown=0.35)
    elif person.expression == "open":
        single["jawOpen"] = 0.1 + 0.35 * a[0]
    elif person.expression == "surprise":
        single.update(jawOpen=0.15 + 0.25 * a[0], browInnerUp=0.4 + 0.6 * a[1])
        both.update(browOuterUp=0.3 + 0.5 * a[2], eyeWide=0.3 + 0.5 * a[3])
    elif person.expression == "frown":
        both.update(browDown=0.2 + 0.5 * a[0], mouthFrown=0.2 + 0.5 * a[1],
                    eyeSquint=0.2 + 0.5 * a[2])
    for name, value in both.items():
        single[name + "Left"] = single[name + "Right"] = value
    return {"faceunits/" + name: value for name, value in single.items()}


def build_head(head: Head, person: Person, mesh: Mesh) -> np.ndarray:
    """Add the morphed head to ``mesh``; return its vertices ``(v, 3)``."""
    names = tuple(head.target_index)
    weights = (body_weights(person) | detail_weights(person, names)
               | expression_weights(person))
    used = [(head.target_index[name], w) for name, w in weights.items() if abs(w) > 1e-3]
    chosen, amounts = np.array([i for i, _ in used]), np.array([float(w) for _, w in used])
    vertices = morph(head.vertices, head.target_start, head.target_vertex, head.target_delta,
                     chosen, amounts)
    inner = np.unique(head.triangles_of("upper-teeth", "lower-teeth", "tongue"))
    # Teeth and tongue are wider than a narrow mouth: they would show through its corners.
    vertices[inner] *= [0.86, 1, 1]
    vertices[inner, 2] -= 0.03
    # So would the floor of the mouth through the skin of a short chin.
    cavity = head.mask_at_vertices(3) > 0.5
    vertices[cavity, 2] -= 0.15 * smooth(1.44, 1.36, head.vertices[cavity, 2])
    occlusion = head.occlusion.copy()
    occlusion[inner] = 0.5     # measured with the mouth closed it would be 0
    normals = vertex_normals(vertices, head.body_triangles)
    normals += vertex_normals(vertices, head.triangles_of("l-eye", "r-eye"))
    normals += vertex_normals(vertices, head.triangles_of("upper-teeth", "lower-teeth", "tongue",
                                                          "lashes"))
    material = np.array([MATERIALS[name] for name in head.part_names])[head.part]
    mesh.add(vertices, head.triangles, material, rest=head.vertices, uv=head.uv, normals=normals,
             occlusion=occlusion)
    return vertices
