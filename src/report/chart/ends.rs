//! Where the labels at the ends of lines go, so that none covers another.

/// A label as high as `height` that would like its middle at `wanted`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) wanted: f64,
    pub(super) height: f64,
}

/// The middles of all labels, in the order given: as near to the wishes as they can be (least squares) without
/// overlapping, kept between `top` and `bottom` as far as they fit there.
///
/// Labels that collide form a block which moves as one to the mean of what its members want (pooling of adjacent
/// violators); the order of the wishes from top to bottom is kept.
pub(super) fn spread(wishes: &[Wish], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by(|a, b| wishes[*a].wanted.total_cmp(&wishes[*b].wanted).then(a.cmp(b)));

    // Each label is described by where its block would have to start for it to get its wish.
    let mut blocks: Vec<Block> = Vec::new();
    for index in order {
        let Wish { wanted, height } = wishes[index];
        let mut block = Block { members: vec![index], sum: wanted - height / 2.0, height: height + gap };
        while let Some(last) = blocks.last() {
            if last.start() + last.height <= block.start() {
                break;
            }
            let mut joined = blocks.pop().expect("there is a last block");
            joined.sum += block.sum - block.members.len() as f64 * joined.height;
            joined.height += block.height;
            joined.members.append(&mut block.members);
            block = joined;
        }
        blocks.push(block);
    }

    let mut starts: Vec<f64> = blocks.iter().map(Block::start).collect();
    let mut free = bottom + gap;
    for (start, block) in starts.iter_mut().zip(&blocks).rev() {
        *start = libm::fmin(*start, free - block.height);
        free = *start;
    }
    let mut free = top;
    for (start, block) in starts.iter_mut().zip(&blocks) {
        *start = libm::fmax(*start, free);
        free = *start + block.height;
    }

    let mut middles = vec![0.0; wishes.len()];
    for (start, block) in starts.into_iter().zip(&blocks) {
        let mut y = start;
        for index in &block.members {
            middles[*index] = y + wishes[*index].height / 2.0;
            y += wishes[*index].height + gap;
        }
    }
    middles
}

struct Block {
    members: Vec<usize>,
    sum: f64,
    height: f64,
}

impl Block {
    fn start(&self) -> f64 {
        self.sum / self.members.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
        let wishes: Vec<Wish> = wanted.iter().map(|wanted| Wish { wanted: *wanted, height: 14.0 }).collect();
        let middles = spread(&wishes, 2.0, top, bottom);
        let mut sorted = middles.clone();
        sorted.sort_by(f64::total_cmp);
        for pair in sorted.windows(2) {
            assert!(pair[1] - pair[0] >= 16.0 - 1e-9, "{middles:?}");
        }
        middles
    }

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(check(&[10.0, 50.0, 90.0], 0.0, 100.0), [10.0, 50.0, 90.0]);
    }

    #[test]
    fn colliding_labels_share_the_displacement() {
        assert_eq!(check(&[50.0, 50.0], 0.0, 100.0), [42.0, 58.0]);
    }

    #[test]
    fn labels_stay_within_the_picture() {
        let middles = check(&[99.0, 98.0, 99.5, 1.0, 0.0], 0.0, 100.0);
        assert!(middles.iter().all(|middle| (7.0..=93.0).contains(middle)), "{middles:?}");
    }

    #[test]
    fn the_order_from_top_to_bottom_is_kept() {
        let middles = check(&[40.0, 41.0, 42.0, 43.0], 0.0, 200.0);
        assert!(middles.is_sorted(), "{middles:?}");
    }
}
