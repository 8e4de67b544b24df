"""Lab 3's environments, memory and video."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lab_code import functions as lab_functions
from lab_utils import LabError
from lab_utils.grading.checks_lab3_pong import pong_frame
from lab_utils.rl import cartpole, pong, video
from lab_utils.rl.forward import forward
from lab_utils.rl.rollout import Memory, Past, collect
from tests.answers import BANK, lab3_policy  # noqa: F401


def crop(frames):
    frames = frames if frames.ndim == 3 else frames[..., 0]
    return (frames[:, 34:194:4, ::4] != frames[:, 34:35, :1]).astype("float32")


@functools.cache
def lab3():
    return lab_functions("lab3", "build_pong_policy", also=("preprocess",))


def stay(observations):
    return np.zeros(len(observations), int)


def test_cartpole_episodes_are_whole_and_stay_together():
    envs = cartpole.make_vector(6)
    rng = np.random.default_rng(0)
    episodes = cartpole.play(envs, lambda o: rng.integers(0, 2, len(o)), seed=3)
    assert len(episodes.lengths) == 6
    assert len(episodes.observations) == len(episodes.actions) == episodes.lengths.sum()
    assert all(rewards.sum() == len(rewards) for rewards in episodes.split(episodes.rewards))
    for part in episodes.split(episodes.observations):   # an episode starts near the middle
        assert np.abs(part[0]).max() < 0.06
        assert np.abs(np.diff(part[:, 0])).max() < 0.2   # and never jumps


def relu(x):   # not Keras's
    return x / 2


@settings(max_examples=15, deadline=None)
@given(units=st.lists(st.integers(1, 9), max_size=3), rows=st.integers(0, 5), bias=st.booleans(),
       activation=st.sampled_from(["relu", "tanh", None, "gelu"]), seed=st.integers(0, 99))
def test_a_policy_runs_in_numpy_as_in_keras(units, rows, bias, activation, seed):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(n, activation, use_bias=bias,
                                 bias_initializer="random_normal" if bias else None)
              for n in units]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2)])
    x = np.random.default_rng(seed).normal(size=(rows, 4)).astype("float32")
    np.testing.assert_allclose(forward(model)(x).numpy(), model(x).numpy(), atol=1e-5)


def test_other_networks_run_compiled_and_numpy_keeps_a_copy_of_the_weights():
    images = keras.Input((4,))
    branched = keras.Model(images, keras.layers.Add()([keras.layers.Dense(2)(images),
                                                       keras.layers.Dense(2)(images)]))
    scaled = keras.Sequential([keras.Input((4,)), keras.layers.LayerNormalization(),
                               keras.layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    own = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation=relu)])
    for model in (branched, scaled, own):
        np.testing.assert_allclose(forward(model)(x).numpy(), model(x).numpy(), atol=1e-5)
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    before = forward(plain)
    plain.set_weights([np.zeros((4, 2)), np.ones(2)])
    assert np.abs(before(x) - 1).max() > 0.1
    np.testing.assert_array_equal(forward(plain)(x), np.ones((3, 2)))


def test_every_right_answer_acts_in_the_training_too():
    lab = lab_functions("lab3", "build_policy", "choose_action", also=("actor",))

    def answers(exercise):
        return [answer for is_right, _, answer in BANK["lab3", exercise] if is_right]
    pairs = [(build, lab["choose_action"]) for build in answers("build_policy")]
    pairs += [(lab["build_policy"], choose) for choose in answers("choose_action")]
    assert len(pairs) > 6
    for build, choose in pairs:
        lab["choose_action"] = choose
        episodes = cartpole.play(cartpole.make_vector(3), lab["actor"](build(2)), seed=1)
        assert {0, 1} <= set(episodes.actions.tolist())


def test_a_good_policy_is_told_from_a_bad_one():
    def lean(observations):   # push to where the pole falls
        return (observations[:, 2] + observations[:, 3] > 0).astype(int)

    assert cartpole.evaluate(lean, 20).mean() > 150
    assert cartpole.evaluate(stay, 20).mean() < 15


def test_wrong_actions_and_unknown_environments_are_one_sentence():
    envs = cartpole.make_vector(2)
    with pytest.raises(LabError, match="CartPole needs"):
        cartpole.play(envs, lambda o: np.array([0, 2]))
    with pytest.raises(LabError, match="CartPole needs"):
        cartpole.play(envs, lambda o: np.zeros((2, 2)))
    with pytest.raises(LabError, match="no vectorised environment"):
        cartpole.make_vector(2, "CartPole-v99")
    with pytest.raises(LabError, match="Pong needs"):
        pong.PongGames(2, crop, 0).step(np.array([0, 3]))
    with pytest.raises(LabError, match="preprocess gave shape"):
        pong.PongGames(2, lambda frames: frames[0], 0)


def test_a_missing_rom_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ale_py.vector_env", None)
    with pytest.raises(LabError, match="ale-py"):
        pong.PongGames(2, crop, 0)


def test_the_agent_sees_the_image_and_its_difference():
    first = np.zeros((2, 210, 160), np.uint8)
    first[:] = 87
    second = first.copy()
    second[0, 100, 80] = 236
    observations, images = pong.observe(crop, second, crop(first))
    assert observations.shape == (2, 40, 40, 2) and images.shape == (2, 40, 40)
    changed = crop(second) - crop(first)
    np.testing.assert_array_equal(observations[..., 1], changed)
    observations, _ = pong.observe(crop, second, None)
    assert not observations[..., 1].any()


def test_grey_and_colour_frames_give_the_same_view():
    """One path: training sees grey frames, the video colour ones."""
    import ale_py
    import gymnasium as gym

    gym.register_envs(ale_py)
    views = []
    for kind in ("rgb", "grayscale"):
        env = gym.make("ALE/Pong-v5", obs_type=kind, frameskip=4, repeat_action_probability=0.0)
        frame, _ = env.reset(seed=1)
        for _ in range(40):
            frame = env.step(0)[0]
        views.append(crop(frame[None]))
    np.testing.assert_array_equal(*views)


@settings(max_examples=25, deadline=None)
@given(paddles=st.tuples(st.integers(34, 178), st.integers(34, 178)),
       balls=st.lists(st.none() | st.tuples(st.integers(34, 190), st.integers(20, 138)),
                      min_size=2, max_size=2))
def test_lab3_knows_places_and_speeds_to_the_pixel(paddles, balls):
    images = None
    for ball, paddle in zip(balls, paddles, strict=True):
        observation, images = pong.observe(
            lab3()["preprocess"], pong_frame(ball, paddle, color=False)[None], images)
    found, upside_down = (np.asarray(view)[0] for view in lab3()["Places"]()(observation))
    turned, back = (np.asarray(view)[0] for view in lab3()["Places"]()(observation[:, ::-1]))
    np.testing.assert_allclose(turned, upside_down, atol=1e-4)
    np.testing.assert_allclose(back, found, atol=1e-4)

    def centre(place, size, start, blocks):
        """The mean block of ``size`` pixels from ``place`` on, as a share of all blocks."""
        return np.mean((np.arange(place, place + size) - start) // 4) / blocks

    def places(ball, paddle):
        seen = ball is not None
        return np.array([seen, centre(ball[0], 4, 34, 40) if seen else 0,
                         centre(ball[1], 2, 20, 30) if seen else 0,
                         centre(paddle, 16, 34, 40), centre(90, 16, 34, 40)])
    before, now = (places(*what) for what in zip(balls, paddles, strict=True))
    moved = (now - before)[1:]
    moved[:2] *= now[0] * before[0]
    aim = (now[1] - now[3:]) * now[0]
    np.testing.assert_allclose(found[:11], [*now, *8 * moved, *3 * aim], atol=1e-4)
    if moved[1] <= 0.01:        # the ball is not coming
        np.testing.assert_array_equal(found[11:], 0)
        return
    steps = (1 - now[2]) / moved[1]
    row = 160 * (now[1] + steps * moved[0])
    while not -3 <= row <= 158:
        row = -6 - row if row < -3 else 316 - row
    ahead = row / 160 - now[3]
    np.testing.assert_allclose(found[11:], [
        3 * ahead, *np.tanh(20 * (ahead + np.array([-0.04, 0, 0.04]))), min(steps / 20, 1)],
        atol=2e-3)


def test_lab3_plays_upside_down_as_it_plays():
    model = lab3()["build_pong_policy"](3)
    images = np.random.default_rng(0).uniform(size=(8, 40, 32, 2)).astype("float32")
    logits, value = (np.asarray(part) for part in model(images))
    turned_logits, turned_value = (np.asarray(part) for part in model(images[:, ::-1]))
    assert np.ptp(logits) > 1e-4
    np.testing.assert_allclose(turned_logits, logits[:, [0, 2, 1]], atol=1e-5)
    np.testing.assert_allclose(turned_value, value, atol=1e-5)


def test_lab3_foresees_where_the_ball_of_the_game_arrives():
    """Straight flight and the walls' places are Pong's: half of the flights within 4 pixels."""
    layer, games = lab3()["Places"](), pong.PongGames(16, lab3()["preprocess"], seed=5)
    places = []
    rng = np.random.default_rng(0)
    for _ in range(400):
        places.append(np.asarray(layer(games.observations)[0]))
        games.step(rng.integers(0, 3, 16))
    games.close()
    seen, column = (np.array(places)[..., i] for i in (0, 2))
    arrival = 160 * (np.array(places)[..., 11] / 3 + np.array(places)[..., 3])
    coming = np.array(places)[..., 15] > 0
    errors = []
    for game in range(16):
        for t in range(1, 380):
            if coming[t, game] and not coming[t - 1, game]:      # a flight begins
                end = t + int(np.argmin(coming[t:, game])) - 1
                if column[end, game] > 0.9 and end > t + 5 and seen[end, game]:
                    errors.append(np.median(np.abs(arrival[t:end, game] - arrival[end, game])))
    assert len(errors) > 30 and np.median(errors) < 4


def test_a_critic_rereads_the_latest_memories():
    rng = np.random.default_rng(0)
    past = Past(memories=3, steps=5)
    for number in range(6):     # the observation names the memory and the step
        observations = 100 * number + np.arange(8, dtype="float32").reshape(4, 2, 1)
        past.add(Memory(observations, *[None] * 5), observations[..., 0] + 0.5, rng)
    drawn = [past.draw(4, rng) for _ in range(100)]
    assert {len(observations) for observations, _ in drawn} == {4}
    assert len(past.draw(9, rng)[0]) == 5
    for observations, returns in drawn:
        np.testing.assert_array_equal(observations[:, 0] + 0.5, returns)
        assert len(set(returns)) == 4
    steps = np.unique(np.concatenate([returns for _, returns in drawn]))
    assert set(steps // 100) == {3, 4, 5} and len(steps) == 15


@pytest.mark.slow
def test_games_are_counted_and_restart_in_the_step_in_which_they_end():
    games = pong.PongGames(4, crop, seed=1)
    ended = np.zeros(4, int)
    totals = np.zeros(4)
    while ended.min() == 0:
        observations, rewards, dones = games.step(stay(games.observations))
        totals += rewards
        for i in np.flatnonzero(dones):
            assert abs(totals[i]) <= 21 and not observations[i, ..., 1].any()
            totals[i] = 0
            ended[i] += 1
    assert len(games.returns) == ended.sum() and max(games.returns) < -10
    games.close()


def test_games_apart_are_the_same_games_and_can_stand_still():
    together, apart = pong.PongGames(3, crop, seed=4), pong.PongGames(3, crop, seed=4, apart=True)
    rng = np.random.default_rng(0)
    for _ in range(80):
        actions = rng.integers(0, 3, 3)
        expected = together.step(actions)
        for ours, theirs in zip(apart.step(actions), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    before, lost = apart.observations.copy(), np.zeros(3)
    for _ in range(120):
        _, rewards, _ = apart.step(np.zeros(3, int), np.array([True, False, True]))
        lost += rewards
    assert lost[1] == 0 and lost[[0, 2]].max() < 0
    np.testing.assert_array_equal(apart.observations[1, ..., 0], before[1, ..., 0])
    assert not apart.observations[1, ..., 1].any()
    together.close()
    apart.close()


def test_a_game_that_is_stopped_counts_as_it_stands(capsys):
    returns = pong.evaluate({"stay": stay}, crop, 5, max_steps=150)["stay"]
    assert returns.shape == (5,) and (-6 <= returns).all() and (returns <= -1).all()
    assert "5 of 5 games were stopped after 150 steps" in capsys.readouterr().out


@pytest.mark.slow
def test_every_player_is_judged_by_its_own_games():
    def chase(observations):   # up or down to the ball's row, where it shows
        ball, paddle = observations[:, :, 5:35, 0].any(2), observations[:, :, 35, 0]
        above = ball.argmax(1) < paddle.argmax(1) + 1
        return np.where(ball.any(1), np.where(above, 1, 2), 0)

    seen = []

    def stay(observations):
        seen.append(observations.shape)
        return np.zeros(len(observations), int)

    returns = pong.evaluate({"stay": stay, "chase": chase}, crop, 3)
    assert list(returns) == ["stay", "chase"] and set(seen) == {(3, 40, 40, 2)}
    assert all(part.shape == (3,) for part in returns.values()) and returns["stay"].max() < -10
    assert returns["chase"].mean() > returns["stay"].mean()


def test_a_memory_holds_what_happened_in_order():
    games = pong.PongGames(3, crop, seed=2)
    first = games.observations.copy()

    def act(observations):
        n = len(observations)
        return np.arange(n) % 3, np.full(n, -1.1), np.arange(n) / 10, np.zeros(n)

    memory = collect(games, act, 5)
    np.testing.assert_array_equal(memory.observations[0], first)
    assert memory.values.shape == (6, 3) and memory.rewards.shape == (5, 3)
    assert memory.flat("observations").shape == (15, 40, 40, 2)
    np.testing.assert_array_equal(memory.actions[4], [0, 1, 2])
    memory.rewards[:] = 0
    assert np.isnan(memory.points_won())
    memory.rewards[0] = [1, -1, 1]
    assert memory.points_won() == pytest.approx(2 / 3)


def test_videos_are_h264_mp4_of_the_frames(tmp_path):
    import av

    frames = np.random.default_rng(0).integers(0, 255, (7, 51, 40, 3)).astype("uint8")
    path = video.write_video(tmp_path / "v.mp4", frames, fps=10)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == 7
        assert (stream.width, stream.height) == (40, 50)
    assert "data:video/mp4;base64" in video.show_video(path).data
    for wrong in (frames[0], frames.astype(float), frames[:0]):
        with pytest.raises(LabError, match="A video needs frames"):
            video.write_video(tmp_path / "w.mp4", wrong)
    assert not (tmp_path / "w.mp4").exists()


def test_without_an_encoder_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(LabError, match="No video encoder"):
        video.write_video(tmp_path / "v.mp4", np.zeros((2, 4, 4, 3), np.uint8))


def test_films_show_the_game_and_what_the_agent_sees():
    clip, total = pong.film(stay, crop, max_steps=5)
    assert clip.shape == (5, 420, 320 + 200, 3) and clip.dtype == np.uint8 and total <= 0
    frames = cartpole.film(stay, max_steps=4)
    assert frames.shape[0] == 4 and frames.shape[-1] == 3
    both = video.beside(video.label(frames, "a"), video.label(frames[:2], "b"))
    assert both.shape == (4, frames.shape[1] + 24, 2 * frames.shape[2] + 8, 3)
