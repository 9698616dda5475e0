// Nobody without a session reaches an application, whatever is changed, killed or deleted meanwhile.
import { describe, expect, test } from '@jest/globals'
import { testChanges, testMoves } from './leaks/changes.ts'
import { testDeletions, testKills } from './leaks/outages.ts'
import { testTakeOver } from './leaks/take-over.ts'
import { prepareWatched, type Watched } from './leaks/watched.ts'
import { leaveFigure } from './report/evidence.ts'
import type { RouteKindOnStage } from './stage/route-kinds.ts'
import type { Stage } from './stage/stage.ts'

const PER_SECOND = Number(process.env.PORTCULLIS_INTRUSIONS_PER_SECOND ?? 800)
const ENOUGH = Number(process.env.PORTCULLIS_INTRUSIONS ?? 100_000)
const LONG_MS = 600_000

/** Of one gateway: routes of all kinds at once. */
export function describeLeaks(title: string, kinds: readonly RouteKindOnStage[], stage: () => Stage): void {
  describe(`${title}, with intruders all the time`, () => {
    const watched = prepareWatched(kinds, stage, PER_SECOND)
    testChanges(watched)
    testTakeOver(watched)
    testMoves(watched)
    testKills(watched)
    testDeletions(watched)
    testFigure(watched, title)
  })
}

function testFigure({ intruders }: Watched, title: string): void {
  test(
    `not one of ${ENOUGH.toLocaleString('en')} requests without a session has reached an application`,
    async () => {
      let report = await intruders().report()
      while (report.answered < ENOUGH) {
        await new Promise(resolve => setTimeout(resolve, 1_000))
        report = await intruders().report()
      }
      const { leaks, answered, closed, open, other, unanswered, hosts, ways } = report
      const figure = [
        `${leaks.length} answers from an application in ${answered.toLocaleString('en')} requests to ${hosts.length} hosts`,
        `${closed.toLocaleString('en')} closed, ${open} open before the label, ${other.toLocaleString('en')} otherwise, ${unanswered} unanswered`,
        Object.entries(ways)
          .map(([way, count]) => `${way}: ${count.toLocaleString('en')}`)
          .join(', '),
      ]
      process.stdout.write(`${title}: ${figure.join('; ')}\n`)
      for (const each of figure) leaveFigure('without a session', each)
      expect(leaks.length).toBe(0)
      expect(closed).toBeGreaterThan(ENOUGH / 2)
    },
    LONG_MS,
  )
}
