// Tests: unit and property tests on Node, the renderer on happy-dom, and the end-to-end suites over a finished build.
import { availableParallelism } from 'node:os'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

function endToEnd(name: string, own: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      environment: 'node',
      globalSetup: ['test/e2e/build-double.ts'],
      pool: 'forks',
      testTimeout: 120_000,
      hookTimeout: 120_000,
      ...own,
    },
  }
}

export default defineConfig({
  test: {
    // The runner's own choice is one less than the cores: half of a 2-core machine idle, while many files mostly wait for a browser or a child process. One more than the cores keeps them busy.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/engine/**/*.test.ts', 'test/main/**/*.test.ts', 'test/preload/**/*.test.ts', 'test/project/**/*.test.ts'],
          setupFiles: ['test/support/property-seed.ts'],
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
      {
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'renderer',
          environment: 'happy-dom',
          include: ['test/renderer/**/*.test.ts'],
          setupFiles: ['test/support/property-seed.ts'],
        },
      },
      endToEnd('e2e', { include: ['test/e2e/**/*.test.ts'], exclude: ['test/e2e/app.test.ts'] }),
      // Alone and last: it measures how long the app's own work holds the event loop, which other tests beside it would lengthen.
      endToEnd('e2e-app', { include: ['test/e2e/app.test.ts'], fileParallelism: false, sequence: { groupOrder: 1 } }),
    ],
  },
})
