// The straight line that lies nearest to points, how sure its slope is, and where it crosses a height.

/// A line by least squares, for errors that are independent and alike.
struct LeastSquaresLine {
    /// Of the points.
    var meanX: Double
    var meanY: Double
    var slope: Double
    /// Half of the slope's 95 % interval.
    var slopeMargin: Double
    private var count: Double
    /// Half of the 95 % interval of the line's height at the mean.
    private var heightMargin: Double

    /// The least that the points are thought to scatter: no figure is better known than its last digit.
    static let leastScatter = 0.0005

    /// - Returns: nil for fewer than three points, and where all are of one x.
    init?(_ points: [(x: Double, y: Double)]) {
        guard points.count > 2 else { return nil }
        let count = Double(points.count)
        let meanX = points.reduce(0) { $0 + $1.x } / count
        let meanY = points.reduce(0) { $0 + $1.y } / count
        let width = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
        guard width > 0, width.isFinite else { return nil }
        let slope = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / width
        let squares = points.reduce(0) { sum, point in
            let rest = point.y - meanY - slope * (point.x - meanX)
            return sum + rest * rest
        }
        let scatter = max((squares / (count - 2)).squareRoot(), Self.leastScatter)
        let margin = Self.quantile(degreesOfFreedom: points.count - 2) * scatter
        guard slope.isFinite, margin.isFinite else { return nil }
        self.meanX = meanX
        self.meanY = meanY
        self.slope = slope
        self.count = count
        slopeMargin = margin / width.squareRoot()
        heightMargin = margin / count.squareRoot()
    }

    /// Whether the line rises, and with 95 % certainty is not level.
    var rises: Bool { slope > slopeMargin }

    func height(at x: Double) -> Double { meanY + slope * (x - meanX) }

    /// Where the line crosses a height, and the two ends of that place's 95 % interval (Fieller's): where the line's own band crosses it.
    ///
    /// - Returns: nil unless the line ``rises``: the interval has no ends then.
    func crossing(_ height: Double) -> (likely: Double, earliest: Double, latest: Double)? {
        guard rises else { return nil }
        let rise = height - meanY
        let square = slope * slope - slopeMargin * slopeMargin
        let root = (slopeMargin * slopeMargin * rise * rise + square * heightMargin * heightMargin).squareRoot()
        let ends = (meanX + (slope * rise - root) / square, meanX + (slope * rise + root) / square)
        return (meanX + rise / slope, ends.0, ends.1)
    }

    /// Student's t, of which 2.5 % lie above.
    static func quantile(degreesOfFreedom: Int) -> Double {
        // The expansion (Abramowitz and Stegun, 26.7.5) is off by a thousandth where there are few.
        switch degreesOfFreedom {
        case ...1: return 12.7062
        case 2: return 4.3027
        case 3: return 3.1824
        case 4: return 2.7764
        default: break
        }
        let z = 1.959964
        let (z3, z5, z7, z9) = (z * z * z, z * z * z * z * z, z * z * z * z * z * z * z, z * z * z * z * z * z * z * z * z)
        let n = Double(degreesOfFreedom)
        let first = (z3 + z) / 4
        let second = (5 * z5 + 16 * z3 + 3 * z) / 96
        let third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384
        let fourth = (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / 92_160
        return z + (first + (second + (third + fourth / n) / n) / n) / n
    }
}
