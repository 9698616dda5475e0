// Tests with real processes and sockets get one more go: a busy machine can starve them. The first failure is printed.
import { jest } from '@jest/globals'

jest.retryTimes(1, { logErrorsBeforeRetry: true })
