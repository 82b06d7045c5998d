"""JAX: one jitted step per call, and as many steps as wanted in one call of lax.fori_loop."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from work import ADAM_BETAS, ADAM_EPSILON, flat

jax.config.update("jax_enable_x64", True)


def loss_function(tutorial):
    def loss(parameters, x, t):
        w1, b1, w2, b2 = parameters
        z = x @ w1 + b1
        h = jax.nn.relu(z) if tutorial == "mnist" else jax.nn.sigmoid(z)
        o = h @ w2 + b2
        if tutorial == "mnist":
            return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(o), 1))
        if tutorial == "height-weight":
            return jnp.mean((jax.nn.sigmoid(o) - t)**2)
        return 0.5 * jnp.mean((o - t)**2)

    return loss


def step_function(work):
    """(state, x, t) -> (state, loss). The state is (parameters, m, v, step)."""
    loss_and_gradients = jax.value_and_grad(loss_function(work.tutorial))
    beta1, beta2 = ADAM_BETAS

    def step(state, x, t):
        parameters, m, v, count = state
        loss, gradients = loss_and_gradients(parameters, x, t)
        if work.optimizer == "sgd":
            return ([p - work.rate * g for p, g in zip(parameters, gradients)], m, v, count), loss
        count = count + 1
        rate = work.rate * jnp.sqrt(1 - beta2**count) / (1 - beta1**count)
        m = [beta1 * m + (1 - beta1) * g for m, g in zip(m, gradients)]
        v = [beta2 * v + (1 - beta2) * g * g for v, g in zip(v, gradients)]
        parameters = [p - rate * m / (jnp.sqrt(v) + ADAM_EPSILON) for p, m, v in zip(parameters, m, v)]
        return (parameters, m, v, count), loss

    return step


class Jitted:
    name = "jax_jit"

    def __init__(self, work):
        self.work = work
        parameters = [jnp.array(p) for p in work.split(work.start)]
        slots = [jnp.zeros_like(p) if work.optimizer == "adam" else jnp.zeros(()) for p in parameters]
        self.state = (parameters, slots, [jnp.copy(s) for s in slots], jnp.zeros((), work.dtype))
        self.prepare(step_function(work))

    def prepare(self, step):
        self.jitted = jax.jit(step, donate_argnums=0)
        self.batches = itertools.cycle([(jnp.array(x), jnp.array(t)) for x, t in self.work.batches()])

    def step(self):
        self.state, self.loss = self.jitted(self.state, *next(self.batches))

    def finish(self):
        jax.block_until_ready(self.state)

    def gradients(self):
        x, t = self.work.batches()[0]
        return flat(jax.grad(loss_function(self.work.tutorial))(self.state[0], x, t))

    def parameters(self):
        return flat(self.state[0])


class Looped(Jitted):
    name = "jax_fori_loop"

    def prepare(self, step):
        xs, ts = (jnp.array(np.stack(arrays)) for arrays in zip(*self.work.batches()))
        count = len(xs)

        # The number of steps is traced: one compilation serves for any.
        def loop(state, first, steps):
            def body(i, carry):
                return step(carry[0], xs[(first + i) % count], ts[(first + i) % count])

            return jax.lax.fori_loop(0, steps, body, (state, jnp.zeros((), self.work.dtype)))

        self.jitted = jax.jit(loop, donate_argnums=0)
        self.done = 0

    def steps(self, count):
        self.state, self.loss = self.jitted(self.state, self.done, count)
        self.done += count

    def step(self):
        self.steps(1)


def contenders(work):
    return [Jitted, Looped]
