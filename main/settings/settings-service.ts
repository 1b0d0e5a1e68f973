// The settings: one small JSON document in the data folder, with defaults for whatever it does not say.
import { join } from 'node:path'
import * as v from 'valibot'
import { settingsSchema } from '../../preload/contract'
import type { CallInput, Settings } from '../../preload/contract'
import type { Clock, Log } from '../host'
import { openJsonFile } from '../json-file'
import { reasonOf, serviceError } from '../service-error'

/** What the settings are before anything was chosen. */
export const defaultSettings: Settings = {
  theme: 'system',
  language: 'system',
  defaultModelId: null,
  systemPrompt: '',
  sampling: null,
  threads: null,
  contextLength: null,
  weightFormat: 'auto',
  modelLoads: [],
  preparedMaxBytes: null,
  trustedTokenizers: [],
}

/** The present settings and the way to change them. */
export interface SettingsService {
  readonly get: () => Settings
  /** Saves, then applies. Throws "settings/not-saved" and changes nothing when the file cannot be written. */
  readonly set: (change: CallInput<'settings.set'>['change']) => Promise<Settings>
}

/** Reads the settings of a data folder. A broken file is kept aside and the defaults hold. */
export async function createSettingsService(options: {
  readonly dataFolder: string
  readonly clock: Clock
  readonly log: Log
}): Promise<SettingsService> {
  const { dataFolder, clock, log } = options
  const path = join(dataFolder, 'settings.json')
  const file = await openJsonFile({ path, schema: storedSchema, fallback: defaultSettings, clock, log })
  return {
    get: file.value,
    set: async (change) => {
      try {
        return await file.update((settings) => merge(settings, change))
      } catch (failure) {
        throw serviceError('settings/not-saved', { path, reason: reasonOf(failure) }, failure)
      }
    },
  }
}

/** Older versions wrote fewer keys, and other versions may know other weight formats. */
const storedSchema = v.pipe(
  v.object({ ...v.partial(settingsSchema).entries, weightFormat: v.optional(v.fallback(settingsSchema.entries.weightFormat, 'auto')) }),
  v.transform((stored) => merge(defaultSettings, stored)),
)

/** A key that is present with `undefined` leaves the value as it was. */
function merge(settings: Settings, change: CallInput<'settings.set'>['change']): Settings {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  return { ...settings, ...given }
}
