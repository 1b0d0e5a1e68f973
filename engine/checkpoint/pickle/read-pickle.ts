// The pickle machine: protocols 0 to 5 as data. Nothing is looked up, constructed or called; what would need a call is on an exact list or refused.
import { engineError } from '../../errors'
import { createPickleMachine, type PersistentLoad, type PickleMachine } from './machine'
import { CONTAINER_OPCODES } from './opcodes-containers'
import { OBJECT_OPCODES } from './opcodes-objects'
import { VALUE_OPCODES } from './opcodes-values'
import { createPickleReader } from './reader'
import { globalName, type PickleValue } from './values'

const STOP = 0x2e

type Opcode = (machine: PickleMachine) => void

function opcodeTable(): readonly (Opcode | undefined)[] {
  const table = new Array<Opcode | undefined>(256).fill(undefined)
  for (const opcodes of [VALUE_OPCODES, CONTAINER_OPCODES, OBJECT_OPCODES]) {
    for (const [character, opcode] of Object.entries(opcodes)) table[character.charCodeAt(0)] = opcode
  }
  return table
}

const OPCODES = opcodeTable()

/** Refuses every persistent id: what a pickle without storages beside it may hold. Throws "checkpoint/pickle-persistent-id". */
export function refusePersistentIds(path: string): PersistentLoad {
  return () => {
    throw engineError('checkpoint/pickle-persistent-id', { path })
  }
}

/**
 * Reads one pickle from `start` on; `endBytes` is the offset behind it. `path` is for messages.
 * Throws "checkpoint/pickle-truncated", "checkpoint/pickle-malformed", "checkpoint/pickle-limit", "checkpoint/pickle-too-deep", "checkpoint/pickle-call-refused",
 * "checkpoint/pickle-instance-refused", "checkpoint/pickle-build-refused", "checkpoint/pickle-global-refused", "checkpoint/pickle-extension-refused" and what
 * `persistentLoad` throws.
 */
export function readPickle(
  bytes: Uint8Array,
  options: { readonly path: string; readonly start?: number; readonly persistentLoad: PersistentLoad },
): { readonly value: PickleValue; readonly endBytes: number } {
  const { path, start = 0, persistentLoad } = options
  const reader = createPickleReader(bytes, { path, start })
  const machine = createPickleMachine({ path, reader, persistentLoad })
  for (;;) {
    const code = reader.u8()
    if (code === STOP) break
    const opcode = OPCODES[code]
    if (!opcode) throw machine.malformed(`0x${code.toString(16).padStart(2, '0')} is not an instruction`)
    opcode(machine)
  }
  const value = machine.pop()
  const suspected = machine.suspected()
  if (suspected) throw engineError('checkpoint/pickle-global-refused', { path, global: globalName(suspected) })
  return { value, endBytes: reader.position() }
}
