"""The GAN: what one training step is.

x image, t token ids, c caption vector, c' another picture's caption vector, z noise, y = G(z, T(t))
a generated picture, f the feature that D saw, T G D the networks.
"""

import keras
import tensorflow as tf

from kgen.networks.text_to_image import draw
from kgen.training import augmentation, averaging, losses, penalties


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
        contrastive_weight: Weight of the contrastive loss, for D and for G.
        diversity_weight: Weight of the diversity loss of G; 0 leaves it out.
        penalty_weight: R1's γ.
        penalty_interval: Steps between two evaluations of R1.
        average_decay: Decay of the moving averages, per step.
        augmentations: What D's pictures are changed by; some of `kgen.config.AUGMENTATIONS`.
        augmentation_probability: Chance of each; where it adapts, the most that it may reach.
        augmentation_adapts: Whether the chance follows how far D overfits.
        seed: Fixes the noise and the augmentation of every step.

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
        contrastive_weight=1.0,
        diversity_weight=0.0,
        penalty_weight=1.0,
        penalty_interval=16,
        average_decay=0.995,
        augmentations=(),
        augmentation_probability=0.8,
        augmentation_adapts=True,
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_encoder = _frozen_copy(encoder)
        self.averaged_generator = _frozen_copy(generator)
        self.contrastive_weight = contrastive_weight
        self.diversity_weight = diversity_weight
        self.penalty_weight = penalty_weight
        self.penalty_interval = penalty_interval
        self.average_decay = average_decay
        self.augmentations = tuple(augmentations)
        self.augmentation_probability = augmentation_probability
        self.augmentation_adapts = augmentation_adapts
        self.seed = seed
        if self.augmentations:  # saved with the model, so that a resumed run goes on with it
            first = 0.0 if augmentation_adapts else augmentation_probability
            self.augmentation_chance = self.add_weight(
                shape=(),
                initializer=keras.initializers.Constant(first),
                dtype="float32",
                trainable=False,
                name="augmentation_chance",
            )
        self.built = True

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
            "contrastive_weight": self.contrastive_weight,
            "diversity_weight": self.diversity_weight,
            "penalty_weight": self.penalty_weight,
            "penalty_interval": self.penalty_interval,
            "average_decay": self.average_decay,
            "augmentations": self.augmentations,
            "augmentation_probability": self.augmentation_probability,
            "augmentation_adapts": self.augmentation_adapts,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        networks = ("encoder", "generator", "discriminator")
        built = {name: keras.saving.deserialize_keras_object(config[name]) for name in networks}
        return cls(**{**config, **built})

    def call(self, inputs, training=False):
        text = self.averaged_encoder(inputs["token_ids"], training=False)
        return draw(self.averaged_generator, text, inputs["noise"], training=False)

    # The step

    @property
    def generator_variables(self):
        return self.generator.trainable_variables

    @property
    def discriminator_variables(self):
        return self.discriminator.trainable_variables + self.encoder.trainable_variables

    @property
    def steps_taken(self):
        """int (). Steps so far, also over resumed runs."""
        return self.discriminator_optimizer.iterations

    def train_step(self, batch):
        """One step of D and T, then one of G on the same noise (Goodfellow et al. 2014,
        Algorithm 1, k = 1, where G's step draws anew: the same y serve both here, which saves
        one pass through G).
        """
        x, t = batch["image"], batch["token_ids"]
        z = self.sample_noise(x)
        same = losses.same_captions(t)
        text = self.encoder(t, training=False)
        with tf.GradientTape() as g_tape:
            y = draw(self.generator, text, z, training=True)
        with tf.GradientTape() as tape:
            d_loss, d_logs = self.discriminator_loss(x, t, y, same)
        self._apply(self.discriminator_optimizer, tape, d_loss, self.discriminator_variables)
        if self.augmentations:
            d_logs["augmentation_chance"] = self._adapt_augmentation(d_logs["overfitting"], x)
        with g_tape:
            g_loss, g_logs = self.generator_loss(y, text["caption_vector"], same)
            if self.diversity_weight:
                diversity = self.diversity_loss(y, text, z)
                g_loss += self.diversity_weight * diversity
                g_logs["diversity"] = -diversity
        self._apply(self.generator_optimizer, g_tape, g_loss, self.generator_variables)
        self._update_averages()
        return {"d_loss": d_loss, "g_loss": g_loss, **d_logs, **g_logs}

    def sample_noise(self, x):
        """z ~ N(0, 1), float32 (B, Z); a function of seed and step, so that a resumed run draws
        what an uninterrupted one would have.
        """
        size = self.generator.input["noise"].shape[1]
        seed = tf.stack([tf.constant(self.seed), tf.cast(self.steps_taken, tf.int32)])
        return tf.random.stateless_normal((tf.shape(x)[0], size), seed)

    def discriminator_loss(self, x, t, y, same):
        """L_D + λ L_contrast(f(x), c) + γ interval R1, the last on every interval-th step.

        c' are the batch's caption vectors rolled by one; D's features of x serve both c and c'.
        """
        x, y = self._augmented(x, 0), self._augmented(y, 1)
        c = self.encoder(t, training=True)["caption_vector"]
        projection = self.discriminator.get_layer("projection")
        seen = self._backbone(tf.concat([x, tf.stop_gradient(y)], axis=0))
        of_x, of_y = tf.split(projection.all_pairs(seen["feature"], seen["plain"], c), 2)
        real, fake = _diagonal(of_x), _diagonal(of_y)
        mismatched = _diagonal(tf.roll(of_x, 1, axis=1))
        is_mismatch = tf.logical_not(tf.linalg.diag_part(tf.roll(same, 1, axis=1)))
        hinge = losses.hinge_discriminator_loss(real, fake, mismatched, is_mismatch)
        contrast = self._contrast(tf.split(seen["feature"], 2)[0], c, same)
        penalty = self._lazy_penalty(x, tf.stop_gradient(c))
        loss = hinge + self.contrastive_weight * contrast
        loss += self.penalty_weight * self.penalty_interval * penalty
        return loss, {
            "real_logit": tf.reduce_mean(real),
            "fake_logit": tf.reduce_mean(fake),
            "mismatched_logit": tf.reduce_mean(mismatched),
            "real_contrast": contrast,
            "overfitting": augmentation.overfitting(real),
        }

    def generator_loss(self, y, c, same):
        """L_G + λ L_contrast(f(y), c)."""
        seen = self._backbone(self._augmented(y, 2))
        fake = self.discriminator.get_layer("projection")(seen["feature"], seen["plain"], c)
        contrast = self._contrast(seen["feature"], c, same)
        loss = losses.hinge_generator_loss(fake) + self.contrastive_weight * contrast
        return loss, {"fake_contrast": contrast}

    def diversity_loss(self, y, text, z):
        """L_diversity of a quarter of the batch, each drawn again with its neighbour's noise."""
        num = tf.maximum(1, tf.shape(y)[0] // 4)
        some = {name: vectors[:num] for name, vectors in text.items()}
        z, z_other = z[:num], tf.roll(z, 1, axis=0)[:num]
        y_other = draw(self.generator, some, z_other, training=True)
        return losses.diversity_loss(y[:num], y_other, z, z_other)

    def _contrast(self, f, c, same):
        # The copies keep the sums of f's and c's gradients at two terms. TensorFlow adds three or
        # more in the order in which their memory is free, which differs from run to run, and a
        # resumed run is to end with the very weights of one that was never stopped.
        return losses.contrastive_loss(tf.identity(f), tf.identity(c), same)

    def penalty(self, x, c):
        """R1 of D at (x, c), float32 ()."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            logit = self.discriminator({"image": x, "caption_vector": c}, training=True)["logit"]
        return penalties.r1_penalty(tape.gradient(logit, x))

    def _lazy_penalty(self, x, c):
        due = tf.equal(tf.cast(self.steps_taken, tf.int32) % self.penalty_interval, 0)
        return tf.cond(due, lambda: self.penalty(x, c), lambda: tf.constant(0.0))

    def _backbone(self, image):
        return self.discriminator.get_layer("backbone")(image, training=True)

    def _augmented(self, image, which):
        """`image` as D is to see it; `which` tells the calls of one step apart."""
        if not self.augmentations:
            return image
        # Under other seeds than the noise, which counts from `seed` upwards.
        seed = tf.stack([-1 - self.seed, 3 * tf.cast(self.steps_taken, tf.int32) + which])
        draws = tf.random.stateless_uniform((tf.shape(image)[0], augmentation.NUM_DRAWS), seed)
        return augmentation.augment(image, self.augmentations, self.augmentation_chance, draws)

    def _adapt_augmentation(self, r, x):
        """Moves the chance of augmentation, where it adapts; gives it."""
        chance = tf.convert_to_tensor(self.augmentation_chance)
        if self.augmentation_adapts:
            most = self.augmentation_probability
            chance = augmentation.adapted_chance(chance, r, tf.shape(x)[0], most)
            self.augmentation_chance.assign(chance)
        return chance

    def _apply(self, optimizer, tape, loss, variables):
        optimizer.apply(tape.gradient(loss, variables), variables)

    def _update_averages(self):
        decay = averaging.warm_decay(self.average_decay, self.steps_taken)
        pairs = (
            (self.averaged_encoder, self.encoder),
            (self.averaged_generator, self.generator),
        )
        for average, network in pairs:
            averaging.update_average(average.weights, network.weights, decay)


def _diagonal(logits):
    """Each image's logit with the caption of its own row: float32 (B, B) to (B, 1)."""
    return tf.linalg.diag_part(logits)[:, None]


def _frozen_copy(network):
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy
