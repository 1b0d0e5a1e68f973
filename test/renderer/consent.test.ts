// The question whether a model's own tokenizer may run: it shows everything, does nothing on Cancel, and pins what was shown.
import { describe, expect, it } from 'vitest'
import { ConsentState } from '../../renderer/state/consent.svelte'
import { EngineStatus } from '../../renderer/state/engine-status.svelte'
import { SettingsState } from '../../renderer/state/settings.svelte'
import { createFakeClient } from '../support/renderer-client'

const code = {
  folder: '/models/stone',
  className: 'tokenization_stone.StoneTokenizer',
  hash: 'a'.repeat(64),
  sources: [{ name: 'tokenization_stone.py', text: 'class StoneTokenizer: pass', sha256: 'b'.repeat(64) }],
}

async function begin() {
  const { bridge, client } = createFakeClient({
    tokenizerCode: code,
    settings: { trustedTokenizers: [{ ...trusted, hash: 'c'.repeat(64) }] },
  })
  const settings = new SettingsState(client)
  await settings.load()
  const consent = new ConsentState({ client, settings, engine: new EngineStatus(client), onfailure: () => undefined })
  await consent.ask('stone')
  return { bridge, settings, consent }
}
const trusted = { folder: code.folder, className: code.className, hash: code.hash }

describe('consent', () => {
  it('shows the files and changes nothing when it is cancelled', async () => {
    const { settings, consent } = await begin()
    expect(consent.asked?.code.sources).toEqual(code.sources)
    consent.cancel()
    expect(consent.asked).toBeNull()
    expect(settings.value?.trustedTokenizers).toEqual([{ ...trusted, hash: 'c'.repeat(64) }])
  })

  it('keeps the hash of what was shown for this folder, in place of an older one, and loads the model', async () => {
    const { bridge, settings, consent } = await begin()
    await consent.agree()
    expect(settings.value?.trustedTokenizers).toEqual([trusted])
    expect(bridge.log.map(({ name }) => name)).toContain('engine.load')
  })
})
