// Layout of a PyTorch archive (.bin, .pth): records in the order torch.save writes them. Follows PyTorch 2.13 (torch/serialization.py `_save`, format version 3).
import type { FileLayout, OutputTensor } from './file-layout'
import { pickleStateDict } from './torch-pickle'
import { ENTRY_ALIGNMENT_BYTES, wholeEntry } from './zip-layout'
import { zipOfTensors } from './zip-of-tensors'

/** What torch.save calls the folder inside an archive that has no file name. */
const ROOT = 'archive'

/** Lays out a PyTorch archive; every tensor has its own storage, shared by its aliases. The format has no place for metadata. */
export function layOutTorch(tensors: readonly OutputTensor[]): FileLayout {
  const before = [
    wholeEntry(`${ROOT}/data.pkl`, pickleStateDict(tensors)),
    wholeEntry(`${ROOT}/.format_version`, '1'),
    wholeEntry(`${ROOT}/.storage_alignment`, String(ENTRY_ALIGNMENT_BYTES)),
    wholeEntry(`${ROOT}/byteorder`, 'little'),
  ]
  const storages = tensors.map(({ sizeBytes }, index) => ({
    name: `${ROOT}/data/${index}`,
    bytes: new Uint8Array(),
    dataBytes: sizeBytes,
  }))
  return zipOfTensors({ tensors, before, storages, after: [wholeEntry(`${ROOT}/version`, '3\n')] })
}
