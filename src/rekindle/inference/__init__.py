"""What the trials say about the model's shared parameters: priors, a bank of simulations, a likelihood, a sampler.

A set of parameters takes seconds to simulate over all trials, far too long for a sampler. So the trials are
simulated once at some hundreds of sets (the bank), each published number is described as a smooth function of the
parameters (the emulator, with its error), and the posterior is sampled on that description; fresh simulations
at posterior draws then say whether it held (`checks`).
"""
