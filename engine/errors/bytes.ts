// Error sentences of the bytes area: code -> details -> one English sentence that says what was found and what is allowed.
export const bytesErrors = {
  'bytes/not-found': (d: { path: string }) => `There is no file or folder at ${d.path}.`,
  'bytes/not-a-regular-file': (d: { path: string }) => `${d.path} is not a regular file.`,
  'bytes/unreadable': (d: { path: string; reason: string }) => `${d.path} cannot be read: ${d.reason}.`,
  'bytes/short-read': (d: { path: string; offsetBytes: number; askedBytes: number; gotBytes: number }) =>
    `${d.path} gave ${d.gotBytes} of the ${d.askedBytes} bytes asked for at offset ${d.offsetBytes}; the file ended early or is being changed.`,
  'bytes/file-too-large': (d: { path: string; sizeBytes: number; maxBytes: number }) =>
    `${d.path} is ${d.sizeBytes} bytes long; at most ${d.maxBytes} are read for a file of this kind.`,
  'bytes/out-of-range': (d: { what: string; offsetBytes: number; neededBytes: number; availableBytes: number }) =>
    `${d.what}: ${d.neededBytes} bytes are needed at offset ${d.offsetBytes}, but only ${d.availableBytes} remain.`,
  'bytes/number-too-large': (d: { what: string; value: string; max: number }) =>
    `${d.what} is ${d.value}, more than the ${d.max} that is allowed.`,
  'bytes/protobuf-malformed': (d: { what: string; offsetBytes: number; reason: string }) =>
    `${d.what} is not valid protobuf at byte ${d.offsetBytes}: ${d.reason}.`,
  'bytes/invalid-json': (d: { path: string; reason: string; line?: number; column?: number }) =>
    `${d.path} is not valid JSON${d.line === undefined ? '' : ` (line ${d.line}, column ${d.column ?? 1})`}: ${d.reason}.`,
  'bytes/json-too-deep': (d: { path: string; maxDepth: number }) => `${d.path} nests JSON deeper than ${d.maxDepth} levels.`,
  'bytes/json-duplicate-key': (d: { path: string; key: string }) => `${d.path} holds the JSON key "${d.key}" twice in one object.`,
  'bytes/zip-truncated': (d: { path: string }) => `${d.path} is a zip archive without its directory: the end of the file is missing.`,
  'bytes/zip-malformed': (d: { path: string; reason: string }) => `${d.path} is not a valid zip archive: ${d.reason}.`,
  'bytes/zip-limit': (d: { path: string; what: string; found: number; max: number }) =>
    `The zip archive ${d.path} has ${d.found} ${d.what}; at most ${d.max} are allowed.`,
  'bytes/zip-unsafe-name': (d: { path: string; name: string }) =>
    `The zip archive ${d.path} holds the name "${d.name}", which leads out of the archive.`,
  'bytes/zip-duplicate-name': (d: { path: string; name: string }) => `The zip archive ${d.path} holds ${d.name} twice.`,
  'bytes/zip-overlap': (d: { path: string; name: string; other: string }) =>
    `In the zip archive ${d.path} the data of ${d.name} overlap ${d.other}.`,
  'bytes/zip-unsupported': (d: { path: string; name: string; reason: string }) =>
    `${d.name} in the zip archive ${d.path} cannot be read: ${d.reason}.`,
  'bytes/zip-bomb': (d: { path: string; name: string; sizeBytes: number; compressedBytes: number }) =>
    `${d.name} in the zip archive ${d.path} would grow from ${d.compressedBytes} bytes to ${d.sizeBytes}; nothing of its kind does.`,
  'bytes/zip-checksum': (d: { path: string; name: string }) => `${d.name} in the zip archive ${d.path} is damaged: its checksum is wrong.`,
  'bytes/tar-malformed': (d: { path: string; reason: string }) => `${d.path} is not a valid tar archive: ${d.reason}.`,
} satisfies Record<string, (details: never) => string>
