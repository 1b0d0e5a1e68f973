// Takes the pictures of README and docs from the running app: node scripts/screenshots.mjs (after npm run build; needs Chromium).
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'

const root = resolve(import.meta.dirname, '..')
const images = join(root, 'docs/images')
const data = mkdtempSync(join(tmpdir(), 'weightroom-pictures-'))
const app = spawn(process.execPath, ['out/main/cli.mjs', 'serve', '--port', '0'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, WEIGHTROOM_DATA: data, HF_HUB_CACHE: join(data, 'none') },
})
const address = await new Promise((done) =>
  app.stdout.on('data', (chunk) => /(http:\S+)/.exec(String(chunk))?.[1] && done(/(http:\S+)/.exec(String(chunk))[1])),
)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, deviceScaleFactor: 2, locale: 'en-US' })
const page = await context.newPage()
await page.goto(address)
await page.getByTestId('sample-question').first().waitFor()
await page.getByTestId('send').waitFor()

async function take(name, scheme = 'light') {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(images, `${name}.png`), scale: 'css' })
}
async function ask(question) {
  await page.getByTestId('composer').fill(question)
  await page.getByTestId('composer').press('Enter')
  await page.getByTestId('assistant-message').last().getByTestId('reply-footer').waitFor({ timeout: 30_000 })
  await page.getByTestId('send').waitFor()
}

await page.waitForFunction(() => globalThis.document.querySelector('[data-testid=composer-reason]') === null)
await take('empty')
for (const question of ['What does config.json contain?', 'My model does not fit into memory. What can I do?']) {
  await page.keyboard.press('ControlOrMeta+n')
  await ask(question)
}
await page.keyboard.press('ControlOrMeta+n')
await ask('What is a safetensors file?')
await ask('What is the difference between .bin and .pth?')
await take('chat')
await take('chat-dark', 'dark')
await page.getByRole('button', { name: 'Show tokens' }).last().click()
await page.getByTestId('token-view').getByRole('button').nth(9).focus()
await take('tokens')
await page.getByTestId('nav-models').click()
await take('models')
await page.getByTestId('nav-devices').click()
await take('devices')
await page.getByTestId('nav-settings').click()
await take('settings')

async function inspect(path) {
  await page.getByTestId('nav-convert').click()
  if ((await page.getByTestId('inspector-back').count()) > 0) await page.getByTestId('inspector-back').click()
  await page.getByTestId('type-path').click()
  await page.getByTestId('path-field').fill(path)
  await page.keyboard.press('Enter')
  await page.getByTestId('inspector-facts').waitFor()
  await page.getByTestId('tokenizer-facts').getByRole('status').waitFor({ state: 'detached' })
}
const models = join(data, 'models')
mkdirSync(join(models, 'minimind'), { recursive: true })
cpSync(join(root, 'resources/guide'), join(models, 'guide'), { recursive: true, filter: (path) => !path.includes('training') })
cpSync(join(root, 'test/fixtures/custom/minimind/pretrain_16.pth'), join(models, 'minimind/pretrain_16.pth'))
await inspect(join(models, 'guide'))
await take('inspector')
await page.getByRole('radio', { name: 'Tensors' }).check({ force: true })
await page.getByTestId('tensor-search').fill('layers.3')
await page.getByText('gate_proj.weight').click()
await page.getByTestId('histogram').waitFor()
await take('tensors')
await inspect(join(models, 'minimind/pretrain_16.pth'))
await page.getByTestId('inspector-convert').click()
await page.getByTestId('convert-names').selectOption('auto')
await page.getByTestId('family-mapping').waitFor()
await page.getByTestId('conversion-plan').waitFor()
await take('convert')

await browser.close()
app.kill('SIGTERM')
await new Promise((done) => app.once('exit', done))
rmSync(data, { recursive: true, force: true })
