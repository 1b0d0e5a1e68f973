// Build of the renderer alone; electron.vite.config.ts takes the same plugins and build options from here.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type PluginOption, type UserConfig } from 'vite'

/** Every target browser reads woff2, so the two older copies of each KaTeX font stay out of the package. */
function katexWoff2Only(): PluginOption {
  return {
    name: 'weightroom:katex-woff2-only',
    enforce: 'pre',
    transform(code, id) {
      if (!/katex[^/]*\.css(?:\?|$)/.test(id)) return null
      return { code: code.replace(/,\s*url\([^)]*\)\s*format\(["'](?:woff|truetype)["']\)/g, ''), map: null }
    },
  }
}

/** Plugins of the renderer. */
export const rendererPlugins = (): PluginOption[] => [svelte({ configFile: false }), katexWoff2Only()]

/** Build options of the renderer: relative addresses for `app://`, no data: URIs and no inline script so that the CSP can stay strict. */
export const rendererBuild = {
  target: 'chrome130',
  assetsInlineLimit: 0,
  modulePreload: { polyfill: false },
} satisfies UserConfig['build']

export default defineConfig({
  base: './',
  root: import.meta.dirname,
  plugins: rendererPlugins(),
  build: { ...rendererBuild, emptyOutDir: true },
})
