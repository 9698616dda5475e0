// Where tests keep their files: one directory for the run, which goes when all has passed, and whose name is told otherwise.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AggregatedResult } from '@jest/reporters'

export default class TemporaryFiles {
  #dir = ''

  /** Before any worker starts: they inherit the environment. */
  onRunStart(): void {
    this.#dir = mkdtempSync(join(tmpdir(), 'portcullis-'))
    process.env.TMPDIR = this.#dir
  }

  onRunComplete(_: unknown, { numFailedTests, numRuntimeErrorTestSuites }: AggregatedResult): void {
    if (numFailedTests + numRuntimeErrorTestSuites === 0) {
      // A process that a test left to die may still write.
      rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    } else {
      process.stdout.write(`files of this run, with the logs of what ran in it: ${this.#dir}\n`)
    }
  }
}
