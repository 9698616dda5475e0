// Looks again and again, one look at a time. By the wall clock: one long timer would oversleep on a machine that sleeps.

/** Returns its end. `look` never rejects. */
export function keepLooking(everyMs: number, look: () => Promise<void>): () => void {
  let isLooking = false
  const timer = setInterval(() => {
    // Two at once could each find something new, and the slower one would have the last word.
    if (isLooking) return
    isLooking = true
    void look().finally(() => {
      isLooking = false
    })
  }, everyMs)
  return () => clearInterval(timer)
}
