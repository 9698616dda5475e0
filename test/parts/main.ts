// The command "npm run parts": makes every part, or those named on the command line, and says what it did.
import { build, type Outcome } from './build.ts'
import { type PartName, partNames } from './catalogue.ts'

const sentence = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'elsewhere':
      return `already there: ${outcome.path}`
    case 'cached':
      return 'cached'
    case 'built':
      return `built in ${Math.ceil(outcome.seconds)} s`
    case 'absent':
      return outcome.reason
    case 'failed':
      return 'failed'
  }
}

const isPartName = (name: string): name is PartName => partNames.some(known => known === name)

const run = async (names: readonly PartName[]): Promise<number> => {
  for (const name of names) {
    // Said before the work: a first build takes minutes.
    process.stdout.write(name.padEnd(26))
    // One after another: a single build of this size uses every core there is.
    const outcome = await build(name, process.env)
    console.log(sentence(outcome))
    if (outcome.kind !== 'failed') continue
    console.error(outcome.reason)
    return 1
  }
  return 0
}

const asked = process.argv.slice(2)
const unknown = asked.filter(name => !isPartName(name))
if (unknown.length > 0) console.error(`No such part: ${unknown.join(', ')}. The parts are ${partNames.join(', ')}.`)
const wanted = asked.length > 0 ? asked.filter(isPartName) : partNames
process.exitCode = unknown.length > 0 ? 1 : await run(wanted)
