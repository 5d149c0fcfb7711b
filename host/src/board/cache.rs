//! The cache between a processor and its flash: which reads have to wait.

/// The cache of a flash on a serial line. A set has two lines; a new line replaces the one
/// that was used longest ago. The firmware runs from RAM, so that the cache holds nothing
/// but the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlashCache {
    /// Number of sets.
    pub sets: usize,
    /// Bytes of a line.
    pub line_bytes: usize,
    /// Cycles until a missing line has arrived.
    pub miss_cycles: f64,
}

impl FlashCache {
    /// Bytes that the cache holds.
    pub fn bytes(&self) -> usize {
        2 * self.sets * self.line_bytes
    }
}

/// The lines that a cache holds.
#[derive(Clone, Debug)]
pub struct Lines {
    line_bytes: usize,
    /// The lines of each set; the first one was used last.
    sets: Vec<[Option<usize>; 2]>,
}

impl Lines {
    /// An empty cache.
    pub fn new(cache: &FlashCache) -> Self {
        Self {
            line_bytes: cache.line_bytes,
            sets: vec![[None; 2]; cache.sets],
        }
    }

    /// Reads `bytes` bytes from `address` on; returns the number of lines that were missing.
    pub fn read(&mut self, address: usize, bytes: usize) -> usize {
        if bytes == 0 {
            return 0;
        }
        let (first, last) = (
            address / self.line_bytes,
            (address + bytes - 1) / self.line_bytes,
        );
        (first..=last).filter(|&line| self.misses(line)).count()
    }

    fn misses(&mut self, line: usize) -> bool {
        let place = line % self.sets.len();
        let set = &mut self.sets[place];
        if set[0] == Some(line) {
            return false;
        }
        let found = set[1] == Some(line);
        *set = [Some(line), set[0]];
        !found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE: FlashCache = FlashCache {
        sets: 4,
        line_bytes: 8,
        miss_cycles: 1.0,
    };

    #[test]
    fn a_line_is_missed_once_and_found_afterwards() {
        let mut lines = Lines::new(&CACHE);
        assert_eq!(lines.read(6, 4), 2);
        assert_eq!(lines.read(0, 16), 0);
        assert_eq!(lines.read(16, 1), 1);
        assert_eq!(lines.read(16, 0), 0);
    }

    #[test]
    fn the_line_that_was_used_longest_ago_makes_room_for_a_third_one() {
        let mut lines = Lines::new(&CACHE);
        let of_one_set = [0, 32, 64];
        assert_eq!(
            lines.read(of_one_set[0], 1) + lines.read(of_one_set[1], 1),
            2
        );
        assert_eq!(lines.read(of_one_set[0], 1), 0);
        assert_eq!(lines.read(of_one_set[2], 1), 1);
        assert_eq!(lines.read(of_one_set[0], 1), 0);
        assert_eq!(lines.read(of_one_set[1], 1), 1);
    }
}
