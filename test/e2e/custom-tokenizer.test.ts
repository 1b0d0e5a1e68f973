// A model with a tokenizer in Python on every host: nothing runs before the person has seen the code and agreed; a changed file asks again.
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeFolder } from '../support/remove-folder'
import { f32Tensor, safetensorsFile, type TensorToWrite } from '../support/safetensors-writer'
import { shortTemporaryPath } from '../support/temporary-path'
import { hostKinds } from './hosts'
import { root } from './hosts/app-process'
import type { RunningHost } from './hosts/types'
import { addFolder, ANSWER_LIMIT_MS, ask, chatWith, replyTo, untilReady } from './window'

const bridge = join(root, 'test/fixtures/custom-tokenizers/bridge')
/** The first start of the interpreter takes seconds of processor time. */
const SANDBOX_LIMIT_MS = 90_000
const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 512,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
}

function matrix(name: string, rows: number, columns: number): TensorToWrite {
  const values = Array.from({ length: rows * columns }, (_, index) => Math.sin(index * 1.7 + rows))
  return f32Tensor(`model.${name}.weight`, values, [rows, columns])
}

/** A decoder of a few thousand weights with the fixture's tokenizer. */
function makeModel(folder: string): void {
  cpSync(bridge, folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG))
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary } = CONFIG
  const ones = (name: string): TensorToWrite => f32Tensor(`model.${name}.weight`, Array<number>(hidden).fill(1))
  const layer = 'layers.0'
  const tensors = [
    matrix('embed_tokens', vocabulary, hidden),
    ones('norm'),
    ...['input_layernorm', 'post_attention_layernorm'].map((name) => ones(`${layer}.${name}`)),
    ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => matrix(`${layer}.self_attn.${name}`, hidden, hidden)),
    ...['gate_proj', 'up_proj'].map((name) => matrix(`${layer}.mlp.${name}`, inner, hidden)),
    matrix(`${layer}.mlp.down_proj`, hidden, inner),
  ]
  writeFileSync(join(folder, 'model.safetensors'), safetensorsFile(tensors))
}

describe.each(hostKinds.map((kind) => [kind.name, kind] as const))('%s host', (_, kind) => {
  describe.skipIf(kind.missing !== null)(kind.missing === null ? 'asks' : `skipped: ${kind.missing}`, () => {
    const work = shortTemporaryPath()
    const model = join(work, 'bridge')
    let host: RunningHost
    const load = async (): Promise<void> => {
      await host.page.getByTestId('nav-models').click()
      await host.page.getByRole('button', { name: 'Load bridge', exact: true }).click({ timeout: ANSWER_LIMIT_MS })
      await host.page.getByTestId('consent-dialog').waitFor({ timeout: ANSWER_LIMIT_MS })
    }

    beforeAll(async () => {
      mkdirSync(join(work, 'data'), { recursive: true })
      makeModel(model)
      host = await kind.start({ dataFolder: join(work, 'data'), env: { HF_HUB_CACHE: join(work, 'no-cache'), LANG: 'en_US.UTF-8' } })
      await untilReady(host.page)
      await addFolder(host, kind, model)
    })
    afterAll(async () => {
      await host.quit().catch(() => undefined)
      removeFolder(work)
    })

    it('shows the whole code and its hash, and Cancel runs nothing', async () => {
      const { page } = host
      await load()
      const dialog = page.getByTestId('consent-dialog')
      expect(await dialog.textContent()).toMatch(/BridgeTokenizer.*tokenization_bridge\.py.*SHA-256 [0-9a-f]{64}.*class CommandTokenizer/s)
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
      expect(violations.map(({ id }) => id)).toEqual([])
      await page.keyboard.press('Enter')
      await dialog.waitFor({ state: 'detached' })
      await page.getByTestId('nav-chat').click()
      await page.getByTestId('engine-asks-consent').waitFor()
      expect(await page.getByTestId('toast').count()).toBe(0)
    })

    it(
      'runs it after the agreement, which the settings list',
      async () => {
        const { page } = host
        await page.getByTestId('look-at-code').click()
        await page.getByTestId('consent-run').click()
        await page.getByTestId('engine-asks-consent').waitFor({ state: 'detached', timeout: SANDBOX_LIMIT_MS })
        await untilReady(page, SANDBOX_LIMIT_MS)
        await ask(page, 'The bridge')
        const reply = await replyTo(page, 1)
        expect(await reply.getByTestId('message-error').count()).toBe(0)
        await page.getByTestId('nav-settings').click()
        await page.getByText('BridgeTokenizer').waitFor()
      },
      SANDBOX_LIMIT_MS * 2,
    )

    it('asks anew when the file has changed', async () => {
      const { page } = host
      await page.getByTestId('nav-chat').click()
      await chatWith(page, 'guide')
      appendFileSync(join(model, 'tokenization_bridge.py'), '\n# changed\n')
      await load()
    })
  })
})
