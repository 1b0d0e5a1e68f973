// Property tests draw the same cases in every run, so that a failure is the change's and not the draw's; FC_SEED=<number> draws others.
import fc from 'fast-check'

const DEFAULT_SEED = 20261122

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? DEFAULT_SEED) })
