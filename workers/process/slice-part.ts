/** How a slice of points is named where parts of an object are named: by its report, its generation and its place. */
export function slicePart(place: { reportUid: string; generation: number; slice: number }): string {
  return `points ${place.reportUid} ${place.generation} ${place.slice}`;
}
