// The child that foreign programs run in: what it cannot reach, and what ends it. The programs here are JavaScript, as if something had already broken out of the interpreter.
import { afterAll, describe, expect, it } from 'vitest'
import { createRestrictedChild, type RestrictedChild } from '../../../engine/sandbox/child'

const children: RestrictedChild[] = []
afterAll(() => {
  for (const child of children) child[Symbol.dispose]()
})

/** `body` is the handler's, with `request` (text) and `node`; what it returns is answered as JSON. */
function childOf(body: string): RestrictedChild {
  const child = createRestrictedChild({
    text: `const make = (node) => { const require_ = globalThis.require; const kept = { process: globalThis.process }; return (frame) => { const request = frame.toString(); ${body} } }`,
    createHandler: 'make',
    readableFolder: import.meta.dirname,
    maxHeapMegabytes: 64,
    maxAnswerBytes: 100_000,
  })
  children.push(child)
  return child
}
const bytes = new TextEncoder().encode('go')
const outcome = async (child: RestrictedChild, maxMs = 20_000): Promise<unknown> => {
  const answer = await child.ask({ bytes, maxMs })
  return answer.ok ? (JSON.parse(new TextDecoder().decode(answer.bytes)) as unknown) : answer.end
}
const answered = (expression: string): string => `return node.Buffer.from(JSON.stringify(${expression}))`
const refused = (attempts: readonly string[]): string =>
  answered(
    `[${attempts.map((attempt) => `(() => { try { return String(${attempt}) } catch (problem) { return problem.code ?? problem.name } })()`).join(',')}]`,
  )

describe('restricted child', () => {
  it('has none of the globals that Node adds to the language', async () => {
    const names =
      "['process','require','module','fetch','WebSocket','Buffer','setTimeout','queueMicrotask','crypto','navigator','performance','structuredClone','MessageChannel','BroadcastChannel']"
    expect(await outcome(childOf(answered(`${names}.filter((name) => name in globalThis)`)))).toEqual([])
  })

  it('makes no code from strings, reads its one folder only, writes nothing, starts nothing', async () => {
    process.env['SANDBOX_TEST_SECRET'] = 'hunter2'
    const child = childOf(
      refused([
        "Function('return 1')()",
        "(0, eval)('1')",
        "node.fs.readFileSync('/etc/passwd')",
        'node.fs.readdirSync("/")',
        "node.fs.writeFileSync(node.folder + '/x', '')",
        "require_('node:child_process').spawnSync('true')",
        "new (require_('node:worker_threads').Worker)('', { eval: true })",
        "kept.process.binding('fs')",
        'Object.keys(kept.process.env).join()',
        "node.fs.readFileSync(node.folder + '/restricted-child.test.ts').length > 100",
      ]),
    )
    expect(await outcome(child)).toEqual([
      'EvalError',
      'EvalError',
      'ERR_ACCESS_DENIED',
      'ERR_ACCESS_DENIED',
      'ERR_ACCESS_DENIED',
      'ERR_ACCESS_DENIED',
      'ERR_ACCESS_DENIED',
      'ERR_ACCESS_DENIED',
      '',
      'true',
    ])
  })

  it('is killed when it is late, and started again for the next request', async () => {
    const child = childOf(`if (!globalThis.asked) { globalThis.asked = true; for (;;); } ${answered('1')}`)
    expect(await outcome(child, 500)).toBe('late')
    const startMs = performance.now()
    expect(child.askNow({ bytes, maxMs: 500 })).toMatchObject({ ok: false, end: 'late' })
    expect(performance.now() - startMs).toBeLessThan(5000)
  })

  it('is killed when it says more than it may, or speaks unasked', async () => {
    expect(await outcome(childOf("return node.Buffer.alloc(200_000, 'x')"))).toBe('flooded')
    expect(await outcome(childOf("node.fs.writeSync(1, node.Buffer.alloc(300_000, 'x')); return node.Buffer.alloc(1)"))).toBe('flooded')
  })

  it('ends when its heap is full', async () => {
    expect(await outcome(childOf('const all = []; for (;;) all.push(new Array(100_000).fill(request))'))).toBe('ended')
  })
})
