// How Transformers calls dtypes in config.json.
import type { StoredDtype } from '../../checkpoint/writers/file-layout'

/** Names by dtype. */
export const TORCH_DTYPES: Partial<Record<StoredDtype, string>> = { F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16' }
