// Where the log goes: a descriptor, written in batches. Lines are lost, rather than waited for or died for, where nobody
// takes them: a disk that is full, a pipe that nobody reads or that is closed. Pino's own stream tries a full disk for ever
// as the process ends, and holds up its end.
import { write, writeSync } from 'node:fs'

const BATCH_CHARACTERS = 64 * 1024
const FLUSH_AFTER_MS = 100
/** What may wait while nobody reads. */
const HELD_CHARACTERS = 8 * 1024 * 1024
/** Of a descriptor that would block. */
const AGAIN_MS = 100
/** At the end nothing can be done later. */
const LAST_TRIES = 10

/** Lines are joined before they are written: line by line it costs four times what the line does. */
export function logOutput(descriptor: number): { write(line: string): void } {
  let batch = ''
  let isWriting = false
  let refused: Buffer | undefined
  const flush = () => {
    if (isWriting || batch === '') return
    isWriting = true
    const bytes = Buffer.from(batch)
    batch = ''
    put(bytes)
  }
  const put = (bytes: Buffer) =>
    write(descriptor, bytes, (error, written) => {
      refused = error?.code === 'EAGAIN' ? bytes : undefined
      if (refused !== undefined) return void setTimeout(put, AGAIN_MS, refused).unref()
      if (error === null && written < bytes.length) return put(bytes.subarray(written))
      isWriting = false
      flush()
    })
  const end = () => {
    const bytes = Buffer.concat([refused ?? Buffer.alloc(0), Buffer.from(batch)])
    batch = ''
    writeLast(descriptor, bytes)
  }
  process.on('exit', end)
  return {
    write(line) {
      if (batch.length + line.length > HELD_CHARACTERS) return
      // No timer while nothing is written: waking up ten times a second is much of what an idle process costs.
      if (batch === '') setTimeout(flush, FLUSH_AFTER_MS).unref()
      batch += line
      if (batch.length >= BATCH_CHARACTERS) flush()
    },
  }
}

function writeLast(descriptor: number, bytes: Buffer): void {
  let rest = bytes
  for (let tries = 0; rest.length > 0 && tries < LAST_TRIES; tries++) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS)
    }
  }
}
