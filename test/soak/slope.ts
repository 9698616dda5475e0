// How fast something grows: the slope of the line that is nearest to all points.

export type Point = { readonly x: number; readonly y: number }

/** Least squares, in units of y for one of x; NaN: less than two different x. */
export function slope(points: readonly Point[]): number {
  const mean = (of: (each: Point) => number) => points.reduce((sum, each) => sum + of(each), 0) / points.length
  const [x, y] = [mean(each => each.x), mean(each => each.y)]
  const spread = points.reduce((sum, each) => sum + (each.x - x) ** 2, 0)
  return points.reduce((sum, each) => sum + (each.x - x) * (each.y - y), 0) / spread
}
