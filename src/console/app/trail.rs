//! Where one was: the way back up that Esc takes, and the history that `[` `]` `-` walk. Bounded.

use crate::console::place::Place;

/// Places remembered each way.
const LENGTH: usize = 100;

/// The present place and the ways from it.
#[derive(Debug)]
pub struct Trail {
    place: Place,
    /// Places one drilled in from, outermost first.
    above: Vec<Place>,
    back: Vec<Place>,
    forward: Vec<Place>,
}

impl Trail {
    /// Begins at a place.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            above: Vec::new(),
            back: Vec::new(),
            forward: Vec::new(),
        }
    }

    /// The present place.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn move_to(&mut self, place: Place) {
        if place != self.place {
            let left = std::mem::replace(&mut self.place, place);
            self.back.push(left);
            if self.back.len() > LENGTH {
                self.back.remove(0);
            }
            self.forward.clear();
        }
    }

    /// Goes deeper; [`Trail::up`] comes back.
    pub fn drill(&mut self, place: Place) {
        self.above.push(self.place.clone());
        if self.above.len() > LENGTH {
            self.above.remove(0);
        }
        self.move_to(place);
    }

    /// Goes elsewhere; [`Trail::up`] leads to what lies above there.
    pub fn switch(&mut self, place: Place) {
        self.above.clear();
        self.move_to(place);
    }

    /// Goes where one drilled in from, or above; false at a root.
    pub fn up(&mut self) -> bool {
        let above = self.above.pop().or_else(|| self.place.parent());
        let moved = above.is_some();
        if let Some(place) = above {
            self.move_to(place);
        }
        moved
    }

    /// Walks the history; false at its end.
    pub fn walk(&mut self, back: bool) -> bool {
        let (from, to) = if back {
            (&mut self.back, &mut self.forward)
        } else {
            (&mut self.forward, &mut self.back)
        };
        let Some(place) = from.pop() else {
            return false;
        };
        to.push(std::mem::replace(&mut self.place, place));
        self.above.clear();
        true
    }

    /// Changes between the last place and this one; false when there is none.
    pub fn last(&mut self) -> bool {
        let Some(place) = self.back.last().cloned() else {
            return false;
        };
        self.switch(place);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Place {
        Place::parse("job:p/test").unwrap()
    }

    #[test]
    fn esc_leads_back_to_where_one_drilled_in() {
        let mut trail = Trail::new(Place::Queue);
        trail.drill(job());
        assert!(trail.up());
        assert_eq!(trail.place(), &Place::Queue);
        assert!(!trail.up(), "a tab is a root");
    }

    #[test]
    fn a_place_gone_to_by_name_leads_up_to_its_tab() {
        let mut trail = Trail::new(Place::Queue);
        trail.switch(job());
        assert!(trail.up());
        assert_eq!(trail.place(), &Place::Pipeline("p".into()));
        assert!(trail.up());
        assert_eq!(trail.place(), &Place::Builds);
    }

    #[test]
    fn the_history_walks_both_ways() {
        let mut trail = Trail::new(Place::Queue);
        trail.switch(Place::Builds);
        trail.switch(Place::Cluster);
        assert!(trail.walk(true) && trail.walk(true));
        assert_eq!(trail.place(), &Place::Queue);
        assert!(!trail.walk(true));
        assert!(trail.walk(false));
        assert_eq!(trail.place(), &Place::Builds);
        assert!(trail.last());
        assert_eq!(trail.place(), &Place::Queue);
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let mut trail = Trail::new(Place::Queue);
        for i in 0..1000 {
            trail.drill(Place::Node(i.to_string()));
        }
        assert!(trail.back.len() <= LENGTH && trail.above.len() <= LENGTH);
    }
}
