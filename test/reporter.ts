// Closes a test run with one plain line that counts it: what ran, what failed, what was left out.
import type { AggregatedResult } from '@jest/reporters'

export default class ClosingLine {
  onRunComplete(_: unknown, results: AggregatedResult): void {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results
    const failed = numFailedTests + numRuntimeErrorTestSuites
    process.stdout.write(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`)
  }
}
