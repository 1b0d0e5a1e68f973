// Type-checks every process with its own tsconfig, and the Svelte files.
import { spawnSync } from 'node:child_process'

const checks = [
  ['tsc', '-p', 'engine/tsconfig.json'],
  ['tsc', '-p', 'main/tsconfig.json'],
  ['tsc', '-p', 'preload/tsconfig.json'],
  ['svelte-check', '--tsconfig', 'renderer/tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  ['tsc', '-p', 'test/tsconfig.json'],
]

let failed = 0
for (const [tool, ...args] of checks) {
  const { status } = spawnSync('npx', ['--no-install', tool, ...args], { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) failed += 1
}
process.exitCode = failed === 0 ? 0 : 1
