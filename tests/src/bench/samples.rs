//! Many measurements of one thing: the middle, and how far they lie apart.

/// Measurements in the order in which they were taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one.
    pub(super) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest that a share of all measurements does not exceed; of none, 0.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let position = share.clamp(0.0, 1.0) * (sorted.len().saturating_sub(1)) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index, checked by get"
        )]
        sorted.get(position.round() as usize).copied().unwrap_or(0.0)
    }

    /// Each divided by the other's of the same round.
    pub(super) fn by_round(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these numbers are exact")]

    use super::*;

    #[test]
    fn an_outlier_moves_the_tail_and_not_the_middle() {
        let samples: Samples = [3.0, 1.0, 900.0, 2.0, 4.0].into_iter().collect();
        assert_eq!(samples.median(), 3.0);
        assert_eq!(samples.quantile(0.0), 1.0);
        assert_eq!(samples.quantile(1.0), 900.0);
        assert_eq!(Samples::default().median(), 0.0);
    }

    #[test]
    fn a_busy_round_that_hits_both_sides_leaves_their_ratio_alone() {
        let ours: Samples = [1.0, 10.0, 1.0].into_iter().collect();
        let theirs: Samples = [4.0, 40.0, 4.0].into_iter().collect();
        assert_eq!(ours.by_round(&theirs).quantile(1.0), 0.25);
    }
}
