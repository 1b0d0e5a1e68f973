// The environment that every host forks the engine process with, over its own.
export { engineProcessEnv } from '../../../engine/runtime/process-env'
