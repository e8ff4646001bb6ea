"""What a run writes at its reports, and how it goes back to an earlier one."""

import json
import os

import h5py
import numpy as np

from kgen import model_folder
from kgen.pictures import captioned_grid, save_png, to_pixels
from kgen.training import callbacks, checkpoints, full_disk, watch
from kgen.training.checkpoints import Checkpoints, RunState
from kgen.training.findings import RunFailed, WentWrong, tell

NUM_SAMPLES = 24


class Reporter:
    """Writes, for a step: figures, sample grid, checkpoint, averaged model, in that order.

    The checkpoint comes after all that a resumed run does not write again, and before the model,
    which can be made of it: so a process killed in between leaves a model no newer than the
    checkpoint, and `resume` brings it up to date.

    Args:
        config: The run's configuration.
        out: Its folder.
        model: T and G joined, from `build_model`, to take the averages and be written.
        pictures: N captioned pictures.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        gan: What is trained.
        validation: Tells which weights are best; None: the last are.
    """

    def __init__(self, config, out, model, pictures, token_ids, gan, validation=None):
        self.config, self.out, self.model, self.gan = config, out, model, gan
        self.validation, self.best = validation, {}
        rng = np.random.default_rng(config.training.seed)
        chosen = rng.choice(len(pictures), min(NUM_SAMPLES, len(pictures)), replace=False)
        # Every language in turn, so that the grid shows each.
        which = [n % len(token_ids[i]) for n, i in enumerate(chosen)]
        self.captions = [pictures.captions[i][k] for i, k in zip(chosen, which, strict=True)]
        self.token_ids = np.stack([token_ids[i][k] for i, k in zip(chosen, which, strict=True)])
        size = (len(chosen), config.networks.noise_dim)
        self.noise = rng.standard_normal(size).astype("float32")
        training = config.training
        chance = watch.chance_contrast(token_ids, training.batch_size)
        self.watch = watch.Watch(
            np.stack([pictures.pixels[i] for i in chosen]),
            self.token_ids,
            self.noise,
            watch.rules(chance, training.contrastive_weight),
        )
        self.figures = callbacks.Figures(out, training.batch_size)
        self.checkpoints = Checkpoints(out, training.kept_checkpoints)
        self.rollbacks = 0

    def begin(self) -> None:
        """Loads the last checkpoint, or writes the first."""
        if not self.checkpoints.exist():
            self._cut_figures(0)
            self.save(0)
            return
        state, lines = self.checkpoints.load(self.gan)
        for line in lines:
            tell(self.out, line)
        self._put_back(state)
        self.rollbacks = state.rollbacks
        if self._is_best(state.step) and _step_of(self.out / model_folder.WEIGHTS) != state.step:
            self._write_model(state.step)

    def report(self, step: int) -> None:
        """Writes everything.

        Raises:
            WentWrong: The weights are not finite, or the pictures have collapsed.
            OSError: Something cannot be written; the checkpoint before is whole.
        """
        self._check_weights(step)
        # At the end of a run that is made longer later, the watch must not count.
        due = step % self.config.training.report_interval == 0
        self._load_model()
        line = self.figures.write(step, self._measure(step) if due else {})
        self._save_samples(self.out / "samples" / f"step_{step:06d}.png")
        for finding in self.watch.judge(step, line) if due else ():
            tell(self.out, finding)
        self.save(step)
        if self._is_best(step):
            self._write_model(step)

    def save(self, step: int) -> None:
        """Writes the checkpoint alone, which may be at any step.

        Raises:
            WentWrong: The weights are not finite.
            OSError: It cannot be written; the checkpoint before is whole.
        """
        self._check_weights(step)
        state = RunState(
            step=step,
            good=not self.watch.suspects,
            rollbacks=self.rollbacks,
            figures=self.figures.state(),
            watch=self.watch.state(),
            best=self.best,
        )
        self.checkpoints.write(self.gan, state)

    def go_back(self, wrong: WentWrong) -> None:
        """Goes back to the last good checkpoint and halves both rates.

        The rates and the number of roll-backs are written at once, with the weights gone back to.

        Raises:
            RunFailed: It has been done `training.max_rollbacks` times; the run is left with its
                last good weights.
        """
        state, _ = self.checkpoints.load(self.gan, good=True)
        most = self.config.training.max_rollbacks
        failed = self.rollbacks >= most
        self.rollbacks += not failed
        rates = self._set_rates()
        self._put_back(state)
        if _step_of(self.out / model_folder.WEIGHTS) != self.best.get("step"):
            self.best = {}  # those weights are gone, or are of a step that was gone back on
        self.save(state.step)
        if self._is_best(state.step):
            self._write_model(state.step)
        if failed:
            left = f"with the weights of its last good step, {state.step}"
            text = (
                f"{wrong.finding}. It has gone back {most} times of {most}: the run ends, "
                f"{left if state.step else 'before its first report'}. {wrong.hint}"
            )
            tell(self.out, text)
            raise RunFailed(text)
        tell(
            self.out,
            f"{wrong.finding}. Back to step {state.step}, on with half the rates ({rates}); "
            f"roll-back {self.rollbacks} of {most}.",
        )

    def _set_rates(self):
        training, factor = self.config.training, 0.5**self.rollbacks
        self.gan.generator_optimizer.learning_rate.assign(training.generator_rate * factor)
        self.gan.discriminator_optimizer.learning_rate.assign(training.discriminator_rate * factor)
        return f"G {training.generator_rate * factor:g}, D {training.discriminator_rate * factor:g}"

    def _measure(self, step):
        figures = self.watch.measure(self.gan)
        if self.validation:
            measured = self.validation.measure(self.model)
            if self.validation.is_better(measured, self.best):
                self.best = {"step": step, **measured}
            figures |= measured | {"validation_best_step": self.best["step"]}
        return figures

    def _is_best(self, step):
        """Whether the model is to be written with the weights of this step."""
        return step > 0 and self.best.get("step", step) == step

    def _put_back(self, state):
        self.best = state.best
        seconds = self._cut_figures(state.step)
        self.figures.put_back({"seconds": seconds} | state.figures)
        self.watch.put_back(state.watch)

    def _cut_figures(self, step):
        with full_disk.explained(self.figures.path):
            return callbacks.keep_figures(self.figures.path, step)

    def _check_weights(self, step):
        names = checkpoints.not_finite(self.gan)
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise WentWrong(
                f"step {step}: NaN or an infinity in {', '.join(names[:3])}{more}",
                callbacks.SMALLER_RATES,
            )

    def _load_model(self):
        self.model.get_layer("encoder").set_weights(self.gan.averaged_encoder.get_weights())
        self.model.get_layer("generator").set_weights(self.gan.averaged_generator.get_weights())

    def _save_samples(self, path):
        image = self.model({"token_ids": self.token_ids, "noise": self.noise}, training=False)
        sheet = captioned_grid(to_pixels(np.asarray(image)), self.captions, columns=6)
        with full_disk.explained(path):
            save_png(path, sheet)

    def _write_model(self, step):
        self._load_model()
        checkpoints.write_weights(self.model, self.out / model_folder.WEIGHTS, {"step": step})


def _step_of(path: os.PathLike) -> int | None:
    """The step that a model's weights are of, where the file is whole and says so."""
    try:
        with h5py.File(path, "r") as file:
            return json.loads(file.attrs["state"])["step"]
    except (OSError, KeyError, ValueError):
        return None
