// An engine process for tests: answers `memory` with its process id, and dies or hangs in the way that `describe`'s path names.
process.on('message', (message) => {
  const answer = (reply) => process.send({ id: message.id, ...reply })
  if (message.kind === 'cancel') return
  if (message.method === 'memory') return answer({ kind: 'done', value: { residentBytes: process.pid } })
  if (message.method === 'load') {
    answer({ kind: 'event', event: { stage: 'weights', fraction: 0.5 } })
    if (message.params.path === 'slow') return setTimeout(() => answer({ kind: 'done', value: { modelType: 'llama' } }), 300)
    if (message.params.path === 'unloadable')
      return answer({ kind: 'failed', error: { code: 'config/missing', message: 'no config', details: {} } })
    return answer({ kind: 'done', value: { modelType: 'llama' } })
  }
  const ends = {
    exit: () => process.exit(7),
    abort: () => process.abort(),
    segfault: () => process.kill(process.pid, 'SIGSEGV'),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    memory: () => {
      process.stderr.write('FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n', () =>
        process.kill(process.pid, 'SIGABRT'),
      )
    },
    wait: () => undefined,
  }
  ends[message.params.path]?.()
})
process.on('disconnect', () => process.exit(0))
process.send({ kind: 'hello' })
