// The formats that can be written, as a table: file names, dtypes, and whether one tensor may have several names.
import type { LayOutFile, StoredDtype } from './file-layout'
import { isGgufDtype, layOutGguf } from './gguf-layout'
import { DTYPE_BITS } from '../../tensor/dtype'
import { isNumpyDtype, layOutNpz } from './npz-layout'
import { layOutSafetensors } from './safetensors-layout'
import { layOutRaw } from './raw-layout'
import type { ShardNaming } from './shards'
import { layOutTorch } from './torch-layout'
import { isTorchDtype } from './torch-pickle'

/** What a conversion can write. */
export type OutputFormat = 'safetensors' | 'torch' | 'pth' | 'npz' | 'gguf' | 'onnx'

/** How several names of the same bytes are kept. `metadata`: one is written, the others are recorded; `shared`: all are written over one storage; `copies`: each has its own bytes. */
export type TiedStorage = 'metadata' | 'shared' | 'copies'

/** One row of the table. `extensions` are those that make a destination a file instead of a folder. */
export interface WritableFormat {
  readonly name: string
  readonly naming: ShardNaming
  readonly extensions: readonly string[]
  readonly sharded: boolean
  readonly keepsMetadata: boolean
  readonly tied: TiedStorage
  readonly holds: (dtype: StoredDtype) => boolean
  readonly layOut: LayOutFile
}

const torch = {
  extensions: ['.bin', '.pth', '.pt', '.ckpt'],
  keepsMetadata: false,
  tied: 'shared',
  holds: isTorchDtype,
  layOut: layOutTorch,
} as const satisfies Partial<WritableFormat>

/** The formats by the name that `--to` takes. */
export const WRITABLE_FORMATS: Readonly<Record<OutputFormat, WritableFormat>> = {
  safetensors: {
    name: 'safetensors',
    naming: { stem: 'model', extension: '.safetensors' },
    extensions: ['.safetensors'],
    sharded: true,
    keepsMetadata: true,
    tied: 'metadata',
    holds: (dtype) => dtype in DTYPE_BITS,
    layOut: layOutSafetensors,
  },
  torch: { ...torch, name: 'PyTorch', naming: { stem: 'pytorch_model', extension: '.bin' }, sharded: true },
  pth: { ...torch, name: 'PyTorch', naming: { stem: 'model', extension: '.pth' }, sharded: false },
  npz: {
    name: 'NumPy',
    naming: { stem: 'model', extension: '.npz' },
    extensions: ['.npz'],
    sharded: false,
    keepsMetadata: false,
    tied: 'copies',
    holds: isNumpyDtype,
    layOut: layOutNpz,
  },
  gguf: {
    name: 'GGUF',
    naming: { stem: 'model', extension: '.gguf' },
    extensions: ['.gguf'],
    sharded: false,
    keepsMetadata: false,
    tied: 'copies',
    holds: isGgufDtype,
    layOut: layOutGguf,
  },
  onnx: {
    name: 'ONNX',
    naming: { stem: 'model', extension: '.onnx.data' },
    extensions: [],
    sharded: false,
    keepsMetadata: false,
    tied: 'metadata',
    holds: (dtype) => dtype === 'F32' || dtype === 'F16' || dtype === 'BF16',
    layOut: layOutRaw,
  },
}

/** Names of the formats, as messages list them. */
export const OUTPUT_FORMATS: readonly string[] = Object.keys(WRITABLE_FORMATS)

/** Whether a text names a format that can be written. */
export function isOutputFormat(text: string): text is OutputFormat {
  return Object.hasOwn(WRITABLE_FORMATS, text)
}
