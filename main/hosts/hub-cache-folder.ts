// Where the Hugging Face hub cache lies, by the variables that huggingface_hub honours, in its order.
import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME or ~/.cache, huggingface/hub. An empty variable counts as absent. */
export function hubCacheFolder(env: Environment, home: string = homedir()): string {
  const { HF_HUB_CACHE: hub, HF_HOME: hfHome, XDG_CACHE_HOME: cache } = env
  if (hub) return hub
  if (hfHome) return join(hfHome, 'hub')
  return join(cache ? cache : join(home, '.cache'), 'huggingface', 'hub')
}
