// Session config entries made from the session options. Source: onnxruntime_session_options_config_keys.h (1.30).
import type { OrtSessionOptions } from '../ort-types'

/** How long an idle worker thread spins: long enough between two operators, short enough that sessions side by side do not fight over the cores. */
const SPIN_DURATION_US = '100'

/** Both must go for 16-bit weights to stay 16 bits wide: the first folds a Cast of any weight, the second widens F16 weights on its own. */
const WEIGHT_FOLDING_OPTIMIZERS = 'ConstantFolding;FuseFp16InitializerToFp32NodeTransformer'

/** Config entries as ONNX Runtime names them; the caller's own entries win. */
export function sessionConfigEntries(options: OrtSessionOptions): Record<string, string> {
  return {
    'session.intra_op.spin_duration_us': SPIN_DURATION_US,
    'session.disable_prepacking': options.prepacking ? '0' : '1',
    ...(options.externalDataFolder === undefined
      ? {}
      : { 'session.model_external_initializers_file_folder_path': options.externalDataFolder }),
    ...(options.constantFolding ? {} : { 'optimization.disable_specified_optimizers': WEIGHT_FOLDING_OPTIMIZERS }),
    ...options.configEntries,
  }
}
