// What was thrown, in words: those of the system about files and folders are for programmers.
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'there is a file where a folder is needed',
  EISDIR: 'this is a folder, and a file is needed',
  ELOOP: 'symbolic links go round in a circle',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'there is a file where a folder is needed',
  EPERM: 'permission denied',
  EROFS: 'nothing can be written there',
}

export type Unusable = { readonly path: string; readonly why: string }

/** undefined: the error is no refusal of the system that is about a file. */
export function unusable(error: unknown): Unusable | undefined {
  const { code, syscall, path } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (code === undefined || syscall === undefined || typeof path !== 'string') return undefined
  return { path, why: WORDS[code] ?? `it cannot be used (${code})` }
}

/** What was thrown, in one line for people. */
export function inWords(error: unknown): string {
  const refused = unusable(error)
  if (refused !== undefined) return `${refused.path}: ${refused.why}`
  const { message, code } = (error ?? {}) as Readonly<Record<string, unknown>>
  // All that several attempts to connect say together is their code.
  for (const each of [message, code]) if (typeof each === 'string' && each !== '') return each
  return String(error)
}
