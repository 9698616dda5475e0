// Loaded before a process's own code: its time of day is wrong by as many ms as a file says, which is read again at
// SIGUSR2. It stands in for a machine whose clock is wrong or jumps: timers go on, as they do there; what OpenSSL checks by
// itself, such as the API server's certificate, keeps the right time.
import { readFileSync } from 'node:fs'
import process from 'node:process'

const { PORTCULLIS_SKEW_FILE: file } = process.env
if (file === undefined) throw new Error('PORTCULLIS_SKEW_FILE says nothing')
const read = () => Number(readFileSync(file, 'utf8'))
let skewMs = read()
process.on('SIGUSR2', () => {
  skewMs = read()
})
const Right = globalThis.Date
const now = () => Right.now() + skewMs
globalThis.Date = new Proxy(Right, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new Right(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
})
