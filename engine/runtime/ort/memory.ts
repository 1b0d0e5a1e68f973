// Tensor memory: JavaScript's own buffers, whose address is handed to ONNX Runtime.
// Native memory viewed as an external ArrayBuffer would do in Node, but Electron forbids those (V8's memory cage); this way is the same everywhere.
import { MessageChannel } from 'node:worker_threads'

import { engineError } from '../../errors'

/** Tensors start on a cache line, as ONNX Runtime's own allocator has it; V8 promises only 16 bytes. */
const ALIGNMENT_BYTES = 64

/**
 * Zero-filled memory of a size, on a cache line where `addressOf` can tell the address. Pages are not touched before they are used.
 * Throws "runtime/out-of-memory".
 */
export function allocateBytes(sizeBytes: number, addressOf?: (buffer: ArrayBuffer) => bigint): Uint8Array {
  const buffer = allocateBuffer(sizeBytes + ALIGNMENT_BYTES)
  const misalignment = addressOf === undefined ? 0 : Number(addressOf(buffer) % BigInt(ALIGNMENT_BYTES))
  return new Uint8Array(buffer, misalignment === 0 ? 0 : ALIGNMENT_BYTES - misalignment, sizeBytes)
}

function allocateBuffer(sizeBytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(sizeBytes)
  } catch (cause) {
    throw engineError('runtime/out-of-memory', { neededBytes: sizeBytes }, cause)
  }
}

/** From here on the memory is worth giving back at once; below, the garbage collector will do. */
const PROMPT_RELEASE_BYTES = 1 << 20

/** Gives memory back now, not when the garbage collector finds time; every view of it becomes empty. */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < PROMPT_RELEASE_BYTES) return
  // Node 20 has no ArrayBuffer.prototype.transfer: a message that nobody receives takes the memory with it when its channel closes.
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(null, [buffer])
  port1.close()
  port2.close()
}
