"""The GAN: what one training step is.

x image, t token ids, c caption vector, c' another picture's caption vector, z noise, y = G(z, T(t))
a generated picture, f the feature that D saw, T G D the networks.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from kgen.config import TrainingConfig
from kgen.networks.discriminator import looks_at_every_size
from kgen.networks.text_to_image import draw
from kgen.training import augmentation, averaging, losses, penalties
from kgen.training.near_captions import asked_of_generator, read_with_swapped
from kgen.training.pair_logits import pair_logits, taken_by


@keras.saving.register_keras_serializable("kgen")
class TextToImageGAN(keras.Model):
    """T, G and D with the step that trains them.

    D and T learn together from the matching and the contrastive loss; G takes T's vectors as
    they are (no gradient flows from G to T). Of G and T moving averages are kept; called or
    asked to `predict`, the model draws with them.

    Args:
        encoder: T, from `build_encoder`.
        generator: G, from `build_generator`.
        discriminator: D, from `build_discriminator`.
        training: Losses, penalties and averages; what the loop around the step needs is unused.
            None: the defaults.
        augmentations: What D's pictures are changed by; some of `kgen.config.AUGMENTATIONS`.
        swaps: For `mismatches` "swapped": int32 (V, K), from `learn_swaps`. None: no word has
            another in its place.
        teacher: y' of token ids and noise, from `teacher_of`, which G learns to draw, too; it is
            not saved. None: nothing.

    Call args:
        inputs: Dictionary of `token_ids` int32 (B, L) and `noise` float32 (B, Z).

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Example:
        gan = TextToImageGAN(encoder, generator, discriminator)
        gan.compile(keras.optimizers.Adam(4e-4, 0.0, 0.9), keras.optimizers.Adam(4e-4, 0.0, 0.9))
        gan.fit(batches, epochs=10, steps_per_epoch=250)
    """

    def __init__(
        self,
        encoder,
        generator,
        discriminator,
        training=None,
        augmentations=(),
        swaps=None,
        teacher=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_encoder = _frozen_copy(encoder)
        self.averaged_generator = _frozen_copy(generator)
        self.training = training = training or TrainingConfig()
        self.augmentations = tuple(augmentations)
        self.swaps = None if swaps is None else np.asarray(swaps, np.int32)
        self.teacher = teacher
        if teacher is not None:
            self._look_at_every_size = looks_at_every_size(discriminator.get_layer("backbone"))
        # Saved with the model, so that a resumed run goes on with them.
        if self.augmentations:
            adapts = training.augmentation_adapts
            first = 0.0 if adapts else training.augmentation_probability
            self.augmentation_chance = self._state("augmentation_chance", first)
        if training.lecam_weight:
            self.usual_real = self._state("usual_real", 0.0)
            self.usual_fake = self._state("usual_fake", 0.0)
        if training.precision == "float16":
            self.steps_with_left_out = self._state("steps", 0.0)
        self.built = True

    def _state(self, name, first):
        initializer = keras.initializers.Constant(first)
        return self.add_weight(
            shape=(), initializer=initializer, dtype="float32", trainable=False, name=name
        )

    # Keras' interface

    def compile(self, generator_optimizer, discriminator_optimizer, **kwargs):
        """Gives G its optimizer, and D and T theirs."""
        super().compile(optimizer=None, **kwargs)
        self.generator_optimizer = keras.optimizers.get(generator_optimizer)
        self.discriminator_optimizer = keras.optimizers.get(discriminator_optimizer)
        self.generator_optimizer.build(self.generator_variables)
        self.discriminator_optimizer.build(self.discriminator_variables)

    def get_compile_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.generator_optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            "run_eagerly": self.run_eagerly,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "name": self.name,
            "encoder": serialize(self.encoder),
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "training": dataclasses.asdict(self.training),
            "augmentations": self.augmentations,
            "swaps": None if self.swaps is None else self.swaps.tolist(),
        }

    @classmethod
    def from_config(cls, config):
        networks = ("encoder", "generator", "discriminator")
        built = {name: keras.saving.deserialize_keras_object(config[name]) for name in networks}
        training = TrainingConfig(**config["training"])
        return cls(**{**config, **built, "training": training})

    def call(self, inputs, training=False):
        text = self.averaged_encoder(inputs["token_ids"], training=False)
        return draw(self.averaged_generator, text, inputs["noise"], training=False)

    # The step

    @property
    def generator_variables(self):
        return self.generator.trainable_variables

    @property
    def discriminator_variables(self):
        of_t = [] if self.training.text_held else self.encoder.trainable_variables
        return self.discriminator.trainable_variables + of_t

    @property
    def steps_taken(self):
        """int (). Steps so far, also over resumed runs."""
        if self.training.precision == "float16":  # an optimizer counts no step that it leaves out
            return self.steps_with_left_out
        return self.discriminator_optimizer.iterations

    def train_step(self, batch):
        """One step of D and T, then one of G on the same noise (Goodfellow et al. 2014,
        Algorithm 1, k = 1, where G's step draws anew: the same y serve both here, which saves
        one pass through G).
        """
        x, t = batch["image"], batch["token_ids"]
        z = self.sample_noise(x)
        same = losses.same_captions(t)
        with tf.GradientTape() as tape:
            text, swapped = self._read(t)
        c = text["caption_vector"]
        t_asked, text, near = asked_of_generator(t, text, swapped)
        with tf.GradientTape() as g_tape:
            y = draw(self.generator, text, z, training=True)
        with tape:
            d_loss, d_logs, of_real = self.discriminator_loss(x, t, c, y, same, swapped)
            scaled = self.discriminator_optimizer.scale_loss(d_loss)
        gradients = tape.gradient(scaled, self.discriminator_variables)
        num_of_d = len(self.discriminator.trainable_variables)
        gradients[num_of_d:] = self._held(gradients[num_of_d:])
        self.discriminator_optimizer.apply(gradients, self.discriminator_variables)
        if self.augmentations:
            d_logs["augmentation_chance"] = self._adapt_augmentation(d_logs["overfitting"], x)
        same = losses.same_captions(t_asked)
        with g_tape:
            c = text["caption_vector"]
            imitated = self.teacher(t_asked, z) if self.teacher else None
            once = tf.identity(y)  # see `_contrast`
            g_loss, g_logs = self.generator_loss(once, t_asked, c, same, of_real, near, imitated)
            if self.training.diversity_weight:
                diversity = self.diversity_loss(y, text, z)
                g_loss += self.training.diversity_weight * diversity
                g_logs["diversity"] = -diversity
            scaled = self.generator_optimizer.scale_loss(g_loss)
        gradients = self._held(g_tape.gradient(scaled, self.generator_variables))
        self.generator_optimizer.apply(gradients, self.generator_variables)
        self._update_averages()
        if self.training.precision == "float16":
            self.steps_with_left_out.assign_add(1.0)
        return {"d_loss": d_loss, "g_loss": g_loss, **d_logs, **g_logs}

    def sample_noise(self, x):
        """z ~ N(0, 1), float32 (B, Z); a function of seed and step, so that a resumed run draws
        what an uninterrupted one would have.
        """
        size = self.generator.input["noise"].shape[1]
        seed = tf.stack([tf.constant(self.training.seed), tf.cast(self.steps_taken, tf.int32)])
        return tf.random.stateless_normal((tf.shape(x)[0], size), seed)

    def _read(self, t):
        """T's outputs, and the captions with one word in another's place; None where D is not
        taught by them.
        """
        if self.training.mismatches != "swapped" or self.swaps is None:
            return self.encoder(t, training=True), None
        # Under other seeds than the noise and the augmentation.
        seed = tf.stack([-1 - self.training.seed, -1 - tf.cast(self.steps_taken, tf.int32)])
        draws = tf.random.stateless_uniform((tf.shape(t)[0], 2), seed)
        share = self.training.swapped_share
        return read_with_swapped(self.encoder, t, self.swaps, draws, share)

    def discriminator_loss(self, x, t, c, y, same, swapped=None):
        """L_D + λ L_contrast(f(x), c) + λ_w L_words(f(x), t) + γ interval penalty, the last on
        every interval-th step.

        c' are the batch's caption vectors rolled by one (or all others), and the swapped ones;
        D's features of x serve both c and c'.

        Returns:
            The loss, what to log, and of the real pictures, with no gradient, `logit` float32
            (B, 1) and the losses `contrast` float32 (2B,) and, where there is one, `words`
            float32 (B,).
        """
        told = self.training
        x, y = self._augmented(x, 0), self._augmented(y, 1)
        seen = self._backbone(tf.concat([x, tf.stop_gradient(y)], axis=0))
        head = self.discriminator.get_layer("head")
        real, fake, mismatched, is_mismatch = pair_logits(
            head, seen, c, same, told.mismatches, swapped
        )
        loss, _ = losses.ADVERSARIAL[told.loss]
        loss = loss(real, fake, mismatched, is_mismatch)
        # Two terms at most in every sum of gradients: see `_contrast`.
        f = tf.identity(tf.split(seen["feature"], 2)[0])
        of_real = {"contrast": self._contrast(f, c, same, swapped and swapped.near)}
        contrast = tf.reduce_mean(of_real["contrast"])
        loss += told.contrastive_weight * contrast
        logs = {
            "real_logit": tf.reduce_mean(real),
            "fake_logit": tf.reduce_mean(fake),
            "mismatched_logit": tf.reduce_mean(mismatched),
            "real_contrast": contrast,
            "overfitting": augmentation.overfitting(real),
        }
        if told.word_weight:
            of_real["words"] = self._words(f, t)
            logs["real_words"] = tf.reduce_mean(of_real["words"])
            loss += told.word_weight * logs["real_words"]
        if told.lecam_weight:
            loss += told.lecam_weight * self._lecam(real, fake)
        due = self._lazy_penalty(x, tf.stop_gradient(y), tf.stop_gradient(c))
        loss += told.penalty_weight * told.penalty_interval * due
        of_real["logit"] = real
        return loss, logs, tf.nest.map_structure(tf.stop_gradient, of_real)

    def generator_loss(self, y, t, c, same, of_real, near=None, imitated=None):
        """L_G + λ L_contrast(f(y), c) + λ_w L_words(f(y), t), of the last two only what is above
        that of the real pictures, if so configured; with a teacher's pictures y' also
        λ_p L_pixel(y, y') + λ_f L_feature(y, y'), of what D sees of both at every size.

        Args:
            of_real: What `discriminator_loss` gives of the real pictures.
            imitated: y', float32 (B, H, W, 3), or None.
        """
        told = self.training
        look = self._backbone if imitated is None else self._look_at_every_size
        seen = look(self._augmented(y, 2))
        head = self.discriminator.get_layer("head")
        fake = head(*taken_by(head, seen), c)
        f = tf.identity(seen["feature"])
        also = tf.identity(f)  # two terms at most in every sum of gradients: see `_contrast`
        mean = losses.capped_by_real if told.cap_by_real else lambda of_y, _: tf.reduce_mean(of_y)
        contrast = mean(self._contrast(f, c, same, near), of_real["contrast"])
        _, loss = losses.ADVERSARIAL[told.loss]
        loss = loss(fake, of_real["logit"]) + told.contrastive_weight * contrast
        logs = {"fake_contrast": contrast}
        if told.word_weight:
            logs["fake_words"] = mean(self._words(also, t), of_real["words"])
            loss += told.word_weight * logs["fake_words"]
        if imitated is not None:
            of_teacher = look(self._augmented(imitated, 2))
            logs["pixel"] = losses.pixel_loss(y, imitated)
            logs["feature"] = losses.feature_loss(
                [*seen["maps"], tf.identity(also)],
                tf.nest.map_structure(
                    tf.stop_gradient, [*of_teacher["maps"], of_teacher["feature"]]
                ),
            )
            loss += told.pixel_weight * logs["pixel"] + told.feature_weight * logs["feature"]
        return loss, logs

    def diversity_loss(self, y, text, z):
        """L_diversity of a quarter of the batch, each drawn again with its neighbour's noise."""
        num = tf.maximum(1, tf.shape(y)[0] // 4)
        some = {name: vectors[:num] for name, vectors in text.items()}
        z, z_other = z[:num], tf.roll(z, 1, axis=0)[:num]
        y_other = draw(self.generator, some, z_other, training=True)
        return losses.diversity_loss(y[:num], y_other, z, z_other)

    def _contrast(self, f, c, same, near=None):
        # The copies keep the sums of f's and c's gradients at two terms. TensorFlow adds three or
        # more in the order in which their memory is free, which differs from run to run, and a
        # resumed run is to end with the very weights of one that was never stopped.
        if near is not None:
            near = tf.identity(near[0]), near[1]
        return losses.contrastive_losses(tf.identity(f), tf.identity(c), same, swapped=near)

    def _words(self, f, t):
        logits = self.discriminator.get_layer("words")(tf.identity(f))
        return losses.word_losses(logits, t)

    def _lecam(self, real, fake):
        """The LeCam penalty; moves the usual logits that it holds D to."""
        penalty = penalties.lecam_penalty(real, fake, self.usual_real, self.usual_fake)
        for usual, now in ((self.usual_real, real), (self.usual_fake, fake)):
            usual.assign_add(0.01 * (tf.reduce_mean(tf.stop_gradient(now)) - usual))
        return penalty

    def penalty(self, x, y, c):
        """R1 of D at (x, c), R1 + R2 at (y, c) too, or the matching-aware one; float32 ()."""
        kind = self.training.penalty
        x = tf.concat([x, y], axis=0) if kind == "r1_r2" else x
        c = tf.concat([c, c], axis=0) if kind == "r1_r2" else c
        with tf.GradientTape() as tape:
            tape.watch([x, c])
            logit = self.discriminator({"image": x, "caption_vector": c}, training=True)["logit"]
        of_x, of_c = tape.gradient(logit, [x, c])
        if kind == "matching_aware":
            return penalties.matching_aware_penalty(of_x, of_c)
        # The mean over both halves is half of R1 + R2.
        return penalties.r1_penalty(of_x) * (2.0 if kind == "r1_r2" else 1.0)

    def _lazy_penalty(self, x, y, c):
        steps = tf.cast(self.steps_taken, tf.int32)
        due = tf.equal(steps % self.training.penalty_interval, 0)
        return tf.cond(due, lambda: self.penalty(x, y, c), lambda: tf.constant(0.0))

    def _backbone(self, image):
        return self.discriminator.get_layer("backbone")(image, training=True)

    def _augmented(self, image, which):
        """`image` as D is to see it; `which` tells the calls of one step apart."""
        if not self.augmentations:
            return image
        # Under other seeds than the noise, which counts from `seed` upwards.
        seed = tf.stack([-1 - self.training.seed, 3 * tf.cast(self.steps_taken, tf.int32) + which])
        draws = tf.random.stateless_uniform((tf.shape(image)[0], augmentation.NUM_DRAWS), seed)
        chance, names = self.augmentation_chance, self.augmentations
        blocks = self.generator.layers[-1]
        if blocks.name != "blocks":
            return augmentation.augment(image, names, chance, draws)
        # Pixel art moves by whole blocks, or D would see neighbours blurred together.
        image = keras.ops.average_pool(image, blocks.size)
        return blocks(augmentation.augment(image, names, chance, draws))

    def _adapt_augmentation(self, r, x):
        """Moves the chance of augmentation, where it adapts; gives it."""
        chance = tf.convert_to_tensor(self.augmentation_chance)
        if self.training.augmentation_adapts:
            most = self.training.augmentation_probability
            chance = augmentation.adapted_chance(chance, r, tf.shape(x)[0], most)
            self.augmentation_chance.assign(chance)
        return chance

    def _held(self, gradients):
        """Gradients of T or G; zeros while D has its head start."""
        if not self.training.head_start:
            return gradients
        # D's steps would not do: one more of them is counted when it is G's turn.
        learns = self.generator_optimizer.iterations >= self.training.head_start
        return [tf.where(learns, gradient, tf.zeros_like(gradient)) for gradient in gradients]

    def _update_averages(self):
        decay = averaging.warm_decay(self.training.averaging, self.steps_taken)
        pairs = (
            (self.averaged_encoder, self.encoder),
            (self.averaged_generator, self.generator),
        )
        for average, network in pairs:
            averaging.update_average(average.weights, network.weights, decay)


def _frozen_copy(network):
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy
